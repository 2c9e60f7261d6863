"""A real Prometheus scrapes the real program, which polls the stand-in over real HTTP."""

import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.server import FelderaServer
from support import loopback
from support.clocks import ScaledClock
from support.exporter_process import exporter, prometheus, until
from support.plans import INSTANT


def _polls(client: httpx.Client, address: str) -> float:
    """Return how many polls succeeded."""
    text = client.get(f"{address}/metrics").text
    [line] = [
        each
        for each in text.splitlines()
        if each.startswith("feldera_exporter_polls_total{") and 'outcome="success"' in each
    ]
    return float(line.rpartition(" ")[2])


def _desired(client: httpx.Client, address: str, name: str, status: str) -> bool:
    return any(
        line.startswith("feldera_pipeline_deployment_desired_status{")
        and f'pipeline_name="{name}"' in line
        and line.endswith(f'status="{status}"}} 1')
        for line in client.get(f"{address}/metrics").text.splitlines()
    )


@pytest.fixture(scope="module")
def feldera() -> Feldera:
    """Return a Feldera of now with two pipelines."""
    feldera = Feldera(ScaledClock(time.time_ns() // 1000), plan=INSTANT)
    for name in ("orders", "payments"):
        feldera.create(name)
    return feldera


@pytest.fixture(scope="module")
def address(feldera: Feldera, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the program; SIGTERM must end it with 0."""
    with (
        serve(FelderaServer(feldera)) as url,
        exporter(url, tmp_path_factory.mktemp("program")) as (found, _),
    ):
        yield found


def test_prometheus_scrapes_the_statuses(feldera: Feldera, address: str, tmp_path: Path) -> None:
    """PromQL answers with the pipelines' statuses, and a change arrives within a poll and a scrape."""
    configuration = tmp_path / "prometheus.yml"
    configuration.write_text(
        "global: {scrape_interval: 1s}\n"
        "scrape_configs:\n"
        "- job_name: feldera-exporter\n"
        f"  static_configs: [{{targets: ['{address.removeprefix('http://')}']}}]\n"
    )
    with prometheus(configuration, tmp_path / "data") as prometheus_url:

        def query(expression: str) -> dict[str, float]:
            answer = loopback.get(f"{prometheus_url}/api/v1/query", params={"query": expression}).json()
            assert answer["status"] == "success", answer
            return {
                ",".join(v for k, v in sorted(r["metric"].items()) if k != "__name__"): float(r["value"][1])
                for r in answer["data"]["result"]
            }

        ones = "count by (pipeline_name) (feldera_pipeline_deployment_status == 1)"
        assert until(lambda: query(ones)) == {"orders": 1, "payments": 1}
        assert query('up{job="feldera-exporter"}').popitem()[1] == 1
        assert query("sum(feldera_pipelines)") == {"": 2}
        # The whole exposition arrived: as many samples as a scrape by hand counts.
        text = loopback.get(f"{address}/metrics").text
        counted = sum(1 for line in text.splitlines() if not line.startswith("#"))
        [scraped] = query("scrape_samples_scraped").values()
        assert scraped == counted
        feldera.start("orders")
        running = 'feldera_pipeline_deployment_status{status="Running"} == 1'
        assert until(lambda: query(f"count by (pipeline_name) ({running})"), 40) == {"orders": 1}


def test_a_change_shows_within_a_poll(feldera: Feldera, address: str) -> None:
    """A new status is in /metrics after the next poll that begins."""
    with httpx.Client(verify=False) as client:
        for status, act in (
            ("Running", feldera.start),
            ("Stopped", lambda name: feldera.stop(name, force=True)),
        ):
            act("payments")
            shown = partial(_desired, client, address, "payments", status)
            # One poll may be under way.
            enough = _polls(client, address) + 2
            until(lambda: shown() or _polls(client, address) >= enough)  # noqa: B023 - it is called within the round
            assert shown()


def test_an_interrupt_ends_it_in_order(tmp_path: Path) -> None:
    """SIGINT ends the program with exit code 0, as SIGTERM does."""
    with exporter("http://127.0.0.1:9", tmp_path, "--log.level=error") as (_, process):
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(30) == 0
