"""Feldera's own command line client, of any version since 0.349, works with the stand-in, if it is available."""

import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from feldera_exporter.simulator.asgi_thread import serve
from support.simulated_api import ServedInstance

FDA: Final = shutil.which("fda")

pytestmark = pytest.mark.skipif(FDA is None, reason="fda, Feldera's command line client, is not on the path")


@pytest.fixture
def url(served: ServedInstance) -> Iterator[str]:
    """The address of an instance with a running pipeline `a` and a failed one, `b`."""
    served.feldera.create("b", runtime_config={"provisioning_timeout_secs": 600})
    served.go(60)
    served.feldera.start("b")
    served.go(30)
    served.feldera.inject.crash("b", "InputTransportError")
    served.go(10)
    with serve(served.server) as url:
        yield url


def fda(url: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FELDERA_")}
    return subprocess.run(
        [str(FDA), *command],
        env={**environment, "FELDERA_HOST": url, "no_proxy": "*"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pipelines", ("a", "Running", "b", "Stopped")),
        ("status a", ("Running", "Success")),
        ("status b", ("Stopped", "InputTransportError")),
        ("config b", ("provisioning_timeout",)),
        ("metrics a --format prometheus", ('status="Running"} 1',)),
        ("stats a", ("total_processed_records",)),
        ("logs a", ("Fresh start of pipeline logs", "Provisioned, Running")),
        ("events a", ("Provisioning", "Running")),
        ("cluster health", ("runner", "Healthy: ")),
        ("cluster events", ("Healthy",)),
        ("cluster config", ("0.375.0",)),
    ],
)
def test_a_command(url: str, command: str, expected: tuple[str, ...]) -> None:
    """The command succeeds, and prints these words."""
    done = fda(url, *command.split())
    assert done.returncode == 0, done.stderr
    assert [word for word in expected if word not in done.stdout] == []


def test_an_unhealthy_cluster(served: ServedInstance, url: str) -> None:
    """The exit code is that of an unhealthy cluster."""
    served.feldera.cluster.running = False
    served.go(3600)
    assert fda(url, "cluster", "health").returncode == 2


def test_operations(served: ServedInstance, url: str) -> None:
    """The commands of the runbooks work: dismiss, stop, clear, start."""
    for command, status in (("dismiss-error b", "Stopped"), ("stop a --no-wait", "Stopped")):
        done = fda(url, *command.split())
        assert done.returncode == 0, done.stderr
        served.go(30)
        assert served.feldera.get(command.split()[1]).row.status == status
    assert served.feldera.get("b").row.error is None
    for command in ("clear a --no-wait", "start a --no-wait"):
        done = fda(url, *command.split())
        assert done.returncode == 0, done.stderr
        served.go(30)
    assert served.status == "Running"


def test_a_support_bundle(url: str, tmp_path: Path) -> None:
    """The support bundle is a ZIP."""
    done = fda(url, "support-bundle", "b", "--output", str(tmp_path / "bundle.zip"))
    assert done.returncode == 0, done.stderr
    assert zipfile.is_zipfile(tmp_path / "bundle.zip")
