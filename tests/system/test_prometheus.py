"""A real Prometheus scrapes the real program, which polls the stand-in over real HTTP."""

import os
import signal
import time
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


def _polls(client: httpx.Client, address: str) -> float:
    """Return how many polls succeeded."""
    text = client.get(f"{address}/metrics").text
    [line] = [
        each
        for each in text.splitlines()
        if each.startswith("feldera_exporter_polls_total{") and 'outcome="success"' in each
    ]
    return float(line.rpartition(" ")[2])


def _shows(client: httpx.Client, address: str, dimension: str, status: str) -> bool:
    lines = client.get(f"{address}/metrics").text.splitlines()
    return any(
        line.startswith(f"feldera_pipeline_{dimension}{{") and line.endswith(f'status="{status}"}} 1')
        for line in lines
    )


@pytest.fixture
def feldera() -> Feldera:
    """Return a Feldera of now."""
    return Feldera(ScaledClock(time.time_ns() // 1000))


def test_prometheus_scrapes_the_statuses(feldera: Feldera, tmp_path: Path) -> None:
    """PromQL answers with the pipelines' statuses, and a change arrives within a poll and a scrape."""
    for name in ("orders", "payments"):
        feldera.create(name)
    feldera.start("orders")
    with serve(FelderaServer(feldera)) as url, exporter(url, tmp_path) as (address, _):
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
                    ",".join(v for k, v in sorted(r["metric"].items()) if k != "__name__"): float(
                        r["value"][1]
                    )
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
            running = 'feldera_pipeline_deployment_status{status="Running"} == 1'
            assert until(lambda: query(f"count by (pipeline_name) ({running})"), 40) == {"orders": 1}


def test_a_change_shows_within_a_poll(feldera: Feldera, tmp_path: Path) -> None:
    """A new status is in /metrics after the next poll that begins."""
    feldera.create("orders")
    with (
        serve(FelderaServer(feldera)) as url,
        exporter(url, tmp_path) as (address, _),
        httpx.Client() as client,
    ):
        for status, act in (
            ("Running", feldera.start),
            ("Stopped", lambda name: feldera.stop(name, force=True)),
        ):
            act("orders")
            shown = partial(_shows, client, address, "deployment_desired_status", status)
            # One poll may be under way.
            enough = _polls(client, address) + 2
            until(lambda: shown() or _polls(client, address) >= enough)  # noqa: B023 - it is called within the round
            assert shown()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(feldera: Feldera, tmp_path: Path, number: signal.Signals) -> None:
    """SIGTERM and SIGINT end the program with exit code 0."""
    with serve(FelderaServer(feldera)) as url, exporter(url, tmp_path) as (_, process):
        os.kill(process.pid, number)
        assert process.wait(30) == 0
