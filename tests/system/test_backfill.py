"""The events that Feldera retains are loaded as blocks into a real Prometheus, which then has the past."""

import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from feldera_exporter import cli
from feldera_exporter.micros import SECOND
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.server import FelderaServer
from support.clocks import ManualClock
from support.exporter_process import prometheus
from support.ground_truth import RecordedFeldera
from support.tools import tool

HOUR = 3600


@pytest.fixture
def feldera() -> RecordedFeldera:
    """Return a Feldera whose pipeline ran for an hour, failed, and was started again, six hours ago until now."""
    clock = ManualClock((int(time.time()) - 6 * HOUR) * SECOND)
    feldera = RecordedFeldera(clock)
    feldera.create("orders")
    clock.advance(600)
    feldera.start("orders")
    clock.advance(HOUR)
    feldera.stop("orders", force=True)
    clock.advance(HOUR)
    feldera.start("orders")
    clock.advance(max(0.0, time.time() - clock.now() / SECOND))
    feldera.settle()
    return feldera


def test_a_prometheus_knows_the_past(feldera: RecordedFeldera, tmp_path: Path) -> None:
    """Between, before and after transitions, Prometheus has the true status."""
    with serve(FelderaServer(feldera)) as url:
        command = [sys.executable, "-m", "feldera_exporter", "backfill"]
        made = subprocess.run(
            [*command, "--output", str(tmp_path / "past.txt"), "--label", "job=feldera-exporter"],
            env={"FELDERA_HOST": url, "PATH": ""},
            capture_output=True,
            text=True,
            check=False,
        )
    assert made.returncode == 0, made.stderr
    blocks = tmp_path / "data"
    created = subprocess.run(
        [
            tool("promtool"),
            "tsdb",
            "create-blocks-from",
            "openmetrics",
            str(tmp_path / "past.txt"),
            str(blocks),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert created.returncode == 0, created.stdout + created.stderr
    configuration = tmp_path / "prometheus.yml"
    configuration.write_text("{}\n")
    [life] = feldera.truth.lives.values()
    stretches = life.intervals(feldera.settle(), "deployment_resources_status")
    assert len(stretches) > 5
    with (
        prometheus(configuration, blocks) as prometheus_url,
        httpx.Client(verify=False) as client,
    ):
        for status, begin, end in stretches:
            if end - begin < 2 * SECOND:
                continue
            answer = client.get(
                f"{prometheus_url}/api/v1/query",
                params={
                    "query": 'feldera_pipeline_deployment_resources_status{job="feldera-exporter"} == 1',
                    "time": str((begin + end) / 2 / SECOND),
                },
            ).json()
            assert [r["metric"]["status"] for r in answer["data"]["result"]] == [status], (begin, end)


def test_an_unreachable_feldera_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written, and the exit code is 1."""
    monkeypatch.setenv("FELDERA_HOST", "http://127.0.0.1:9")
    assert cli.main(["backfill"]) == 1
    written, said = capsys.readouterr()
    assert (written, said.count("\n")) == ("", 1)
    assert said.startswith("error: ")
