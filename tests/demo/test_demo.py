"""The demo as users start it: a process with a real Prometheus and Alertmanager and the shipped rules."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from support import loopback, tools

PATIENCE: Final = 58.0
WANTED: Final = {
    "FelderaPipelineStuckProvisioning": "big-join",
    "FelderaPipelineDeploymentError": "fraud-scores",
}


class Demo:
    """A running demo.

    Attributes:
        process: its process.
        temporary: where it puts its files.
    """

    def __init__(self, process: subprocess.Popen[str], out: Path, temporary: Path) -> None:
        self.process = process
        self.temporary = temporary
        self._out = out

    @property
    def shown(self) -> str:
        """Its output so far."""
        return self._out.read_text()

    def address(self, name: str) -> str:
        """Return the address that it has printed for something."""
        found = re.search(rf"{re.escape(name)}: (http://127\.0\.0\.1:\d+)", self.shown)
        assert found is not None, self.shown
        return found[1]

    def children(self) -> list[int]:
        """Return the ids of the processes that it has started, their own included."""
        tree: dict[int, list[int]] = {}
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = status.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            tree.setdefault(int(fields[1]), []).append(int(status.parent.name))
        found = list(tree.get(self.process.pid, []))
        for pid in found:
            found += tree.get(pid, [])
        return found


def until(check: Callable[[], Any], deadline: float) -> Any:
    """Return what is true at last.

    Raises:
        AssertionError: it is not before the deadline.
    """
    while not (found := check()):
        assert time.monotonic() < deadline, check
        time.sleep(0.3)
    return found


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """A demo whose standard output is a file."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    folder = Path(tools.tool("prometheus")).parent
    environment = {
        **os.environ,
        "PATH": f"{folder}:{os.environ['PATH']}",
        "TMPDIR": str(temporary),
    }
    out, err = tmp_path / "out", tmp_path / "err"
    with out.open("w") as shown, err.open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "feldera_exporter", "demo"],
            env=environment, stdout=shown, stderr=said, text=True,
        )  # fmt: skip
    try:
        yield Demo(process, out, temporary)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(15)


def firing(url: str, path: str) -> dict[str, set[str]]:
    """Return the pipelines of each alert, from Prometheus's or Alertmanager's answer."""
    answer = loopback.get(f"{url}{path}").json()
    alerts = answer if isinstance(answer, list) else answer["data"]["alerts"]
    found: dict[str, set[str]] = {}
    for alert in alerts:
        if alert.get("state", "firing") == "firing":
            labels = alert["labels"]
            found.setdefault(labels["alertname"], set()).add(labels.get("pipeline_name", ""))
    return found


def has_all(found: dict[str, set[str]]) -> bool:
    """Return whether both alerts are there, for the right pipelines."""
    return all(name in found.get(alert, ()) for alert, name in WANTED.items())


def test_the_whole_demo(demo: Demo) -> None:
    """The demo prints its addresses, both alerts fire and are notified within a minute, and SIGTERM ends everything."""
    deadline = time.monotonic() + PATIENCE
    until(lambda: "big-join: Provisioning" in demo.shown or demo.process.poll() is not None, deadline)
    api, exporter = demo.address("Feldera (stand-in)"), demo.address("feldera-exporter")
    prometheus, alertmanager = demo.address("Prometheus"), demo.address("Alertmanager")

    assert len(loopback.get(f"{api}/v0/pipelines?selector=status").json()) > 20
    assert (
        'feldera_pipeline_deployment_status{feldera_instance="demo"'
        in loopback.get(f"{exporter}/metrics").text
    )
    limits = until(
        lambda: re.findall(
            r"status_limit_seconds{[^}]*big-join[^}]*} (\S+)", loopback.get(f"{exporter}/metrics").text
        ),
        deadline,
    )
    assert float(limits[0]) in {600.0, float("inf")}

    until(lambda: _up(prometheus) == {"feldera-exporter": "up"}, deadline)
    until(lambda: has_all(firing(prometheus, "/api/v1/alerts")), deadline)
    until(lambda: has_all(firing(alertmanager, "/api/v2/alerts")), deadline)
    until(lambda: "big-join: FelderaPipelineStuckProvisioning fires (critical)" in demo.shown, deadline)

    children = demo.children()
    assert len(children) == 2
    assert any(demo.temporary.iterdir())
    demo.process.send_signal(signal.SIGTERM)
    assert demo.process.wait(30) == 0
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
    assert not any(demo.temporary.iterdir())
    for address in (api, exporter, prometheus, alertmanager):
        with pytest.raises(httpx.ConnectError):
            loopback.get(address)


def test_a_demo_that_is_killed_leaves_no_program_behind(demo: Demo) -> None:
    """Neither Prometheus nor Alertmanager goes on after the demo is killed."""
    deadline = time.monotonic() + PATIENCE
    until(lambda: "Prometheus: http" in demo.shown, deadline)
    children = demo.children()
    assert len(children) == 2
    demo.process.kill()
    demo.process.wait(5)
    until(lambda: not [pid for pid in children if Path(f"/proc/{pid}").exists()], time.monotonic() + 10)


def test_sigint_while_it_starts_ends_it_too(demo: Demo) -> None:
    """SIGINT before everything is ready ends the demo, and leaves nothing behind."""
    deadline = time.monotonic() + 20
    children = until(demo.children, deadline)
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(10) == 0
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
    assert not any(demo.temporary.iterdir())


def _up(prometheus: str) -> dict[str, str]:
    targets = loopback.get(f"{prometheus}/api/v1/targets").json()["data"]["activeTargets"]
    return {target["labels"]["job"]: target["health"] for target in targets}
