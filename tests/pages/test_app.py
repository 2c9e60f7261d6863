"""The pages show what the exporter polled; only a pipeline's page sends requests to Feldera, about that pipeline."""

import asyncio
from functools import partial
from pathlib import Path

import httpx

from feldera_exporter import app, config
from feldera_exporter.metrics.catalogue import KNOWN_FAMILIES
from feldera_exporter.rules.alert_names import NAMES
from feldera_exporter.rules.rendering import RuleOptions
from feldera_exporter.server.listener import bind
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.server import FelderaServer
from support.simulated_api import SimulatedInstance


def test_the_exporter_shows_its_pages(tmp_path: Path) -> None:
    """Pages have the prefix, the configured alerts and Feldera's timeline; a removed instance is named."""
    instance = SimulatedInstance()
    instance.run()
    file = tmp_path / "exporter.yml"

    async def look(api: str) -> tuple[str, str, str]:
        file.write_text(f"instances: [{{name: one, url: '{api}', poll_interval: 1s}}]\n")
        load = partial(config.load, file, {}, KNOWN_FAMILIES, NAMES)
        listener = bind("127.0.0.1:0")
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/behind"
        async with (
            app.exporting(
                load, [listener], app.Options(addresses=RuleOptions(exporter_url="http://exporter/behind/"))
            ) as exporter,
            httpx.AsyncClient(trust_env=False) as client,
        ):
            while not exporter.publisher.observed["one"].fleet.pipelines:  # noqa: ASYNC110 - there is no event to wait for
                await asyncio.sleep(0.02)
            fleet = await client.get(f"{url}/")
            pipeline = await client.get(f"{url}/pipelines/one/a")
            gone = await exporter.recent("other", "id", "a")
            return fleet.text, pipeline.text, gone.problem

    with serve(FelderaServer(instance.feldera)) as api:
        fleet, pipeline, problem = asyncio.run(look(api))
    assert 'href="/behind/pipelines/one/a"' in fleet
    assert "The last transitions" in pipeline
    assert f'href="{api}/pipelines/a/"' in pipeline
    assert problem == "the configuration no longer has this instance"
