"""The configuration is loaded anew without a restart, and without anything that was known being lost."""

import asyncio
import gc
import os
import signal
import time
import weakref
from pathlib import Path
from typing import Any

import httpx
import pytest

from feldera_exporter.app import Exporter
from feldera_exporter.config import Configuration, Instance
from feldera_exporter.simulator.clock import ScaledClock
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.server import FelderaServer
from feldera_exporter.simulator.serving import serve
from system.program import exporter, until


@pytest.fixture
def feldera() -> Feldera:
    """Return a Feldera of now with two pipelines."""
    feldera = Feldera(ScaledClock(time.time_ns() // 1000))
    feldera.create("orders", tags=["cost:42"])
    feldera.create("payments")
    return feldera


def _metrics(address: str) -> str:
    return httpx.get(f"{address}/metrics", trust_env=False).text


def _value(text: str, start: str) -> float:
    [line] = [line for line in text.splitlines() if line.startswith(start)]
    return float(line.rpartition(" ")[2])


def test_a_hangup_reloads(feldera: Feldera, tmp_path: Path) -> None:
    """After SIGHUP the new filter, tag label and limit hold, and no sample of a kept pipeline was missing."""
    with serve(FelderaServer(feldera)) as url, exporter(url, tmp_path) as (address, process):
        configuration = tmp_path / "exporter.yml"
        assert 'pipeline_name="payments"' in _metrics(address)
        configuration.write_text(
            configuration.read_text().replace(
                "poll_interval", "pipelines: {exclude: [payments]}, poll_interval"
            )
            + 'tag_labels: {cost: "cost:(.+)"}\nlimits: {defaults: {Pending: 7s, CompilingSql: 7s, CompilingRust: 7s, SqlCompiled: 7s}}\n'
        )
        os.kill(process.pid, signal.SIGHUP)
        text = until(lambda: (text := _metrics(address)) and 'cost="42"' in text and text)
        assert 'pipeline_name="payments"' not in text
        assert 'feldera_pipeline_deployment_status{feldera_instance="default",' in text
        assert _value(text, "feldera_pipelines{") == 1
        assert _value(text, "feldera_exporter_config_last_reload_successful") == 1


def test_a_mistake_keeps_the_running_configuration(feldera: Feldera, tmp_path: Path) -> None:
    """It is said in the answer, the log and a metric; polling goes on as before, and a good file heals it."""
    flags = ("--web.enable-lifecycle",)
    with serve(FelderaServer(feldera)) as url, exporter(url, tmp_path, *flags) as (address, _):
        configuration = tmp_path / "exporter.yml"
        good = configuration.read_text()
        configuration.write_text("instances: []\n")
        answer = httpx.post(f"{address}/-/reload", trust_env=False)
        assert (
            answer.status_code,
            answer.text.partition("exporter.yml: ")[2].startswith("instances: found"),
        ) == (500, True), answer.text
        text = _metrics(address)
        assert _value(text, "feldera_exporter_config_last_reload_successful") == 0
        assert _value(text, "feldera_pipelines{") == 2
        before = _value(text, 'feldera_exporter_polls_total{feldera_instance="default",outcome="success"}')
        until(
            lambda: (
                _value(
                    _metrics(address),
                    'feldera_exporter_polls_total{feldera_instance="default",outcome="success"}',
                )
                > before
            )
        )
        assert "configuration not reloaded" in (tmp_path / "exporter.log").read_text()
        configuration.write_text(good)
        assert httpx.post(f"{address}/-/reload", trust_env=False).status_code == 200
        assert _value(_metrics(address), "feldera_exporter_config_last_reload_successful") == 1
        assert httpx.get(f"{address}/-/reload", trust_env=False).status_code == 405


def test_an_instance_comes_and_goes(feldera: Feldera, tmp_path: Path) -> None:
    """A new instance is polled at once; one that is no longer configured leaves no series."""
    with serve(FelderaServer(feldera)) as url, exporter(url, tmp_path) as (address, process):
        configuration = tmp_path / "exporter.yml"
        assert httpx.post(f"{address}/-/reload", trust_env=False).status_code == 403
        configuration.write_text(f"instances: [{{name: other, url: '{url}', poll_interval: 1s}}]\n")
        os.kill(process.pid, signal.SIGHUP)
        text = until(
            lambda: (text := _metrics(address)) and 'feldera_up{feldera_instance="other"} 1' in text and text
        )
        assert 'feldera_instance="default"' not in text


def test_a_mistake_is_told_at_once(feldera: Feldera, tmp_path: Path) -> None:
    """Not with the next poll, which may be far."""
    flags = ("--web.enable-lifecycle",)
    with serve(FelderaServer(feldera)) as url, exporter(url, tmp_path, *flags) as (address, _):
        configuration = tmp_path / "exporter.yml"
        configuration.write_text(
            f"instances: [{{name: default, url: '{url}', poll_interval: 1h, staleness: 2h}}]\n"
        )
        assert httpx.post(f"{address}/-/reload", trust_env=False).status_code == 200
        time.sleep(0.5)
        assert _value(_metrics(address), "feldera_exporter_config_last_reload_successful") == 1
        configuration.write_text("instances: []\n")
        assert httpx.post(f"{address}/-/reload", trust_env=False).status_code == 500
        assert _value(_metrics(address), "feldera_exporter_config_last_reload_successful") == 0


def test_a_reload_leaves_nothing_behind(feldera: Feldera) -> None:
    """Of what ran before it: what is kept out of the search for cycles is let in again."""
    with serve(FelderaServer(feldera)) as url:
        configuration = Configuration((Instance("one", url, poll_interval=0.1, timeout=0.1),))

        async def run() -> int:
            watched = Exporter(lambda: configuration, None)
            watched.start()
            gone: list[weakref.ref[Any]] = []
            for _ in range(3):
                await asyncio.sleep(0.5)
                parts = watched.instances["one"]
                gone += [weakref.ref(parts.client), weakref.ref(parts.watcher)]
                del parts
                assert await watched.reload() == ()
            await asyncio.sleep(0.5)
            gc.collect()
            await watched.stop()
            return sum(part() is not None for part in gone)

        try:
            assert asyncio.run(run()) == 0
        finally:
            gc.unfreeze()
