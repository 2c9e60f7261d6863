"""The real program on several instances, one of which a test disturbs."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from feldera_exporter.ledger.visible_counters import HOLD
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.server import FelderaServer
from support import loopback
from support.clocks import ScaledClock
from support.plans import INSTANT
from support.raw_server import RawServer, serving_raw

INSTANCES = ("hostile", "healthy")

_SAMPLE = re.compile(r"^([a-z_]+)(?:\{(.*)\})? (\S+)$")


def now() -> ScaledClock:
    """Return a clock of Feldera's that shows this machine's time."""
    return ScaledClock(time.time_ns() // 1000)


def feldera(*names: str) -> Feldera:
    """Return an instance on the wall's clock, whose pipelines run."""
    instance = Feldera(now(), plan=INSTANT)
    for name in names:
        instance.create(name)
    instance.settle()
    for name in names:
        instance.start(name)
    return instance


def later(instance: Feldera) -> None:
    """Let two minutes pass by Feldera's clock, so that the counters of pipelines that were new move."""
    assert isinstance(instance.clock, ScaledClock)
    instance.clock._start += HOLD


@dataclass(frozen=True)
class RunningExporter:
    """The running program.

    Attributes:
        url: its address.
        process: the child.
        log: the file of its standard error.
    """

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def page(self) -> str:
        """Return the metrics."""
        return loopback.get(f"{self.url}/metrics", timeout=10).text

    def value(self, name: str, /, **labels: str) -> float | None:
        """Return the one sample of a family with these labels, None where there is none."""
        wanted = {f'{key}="{value}"' for key, value in labels.items()}
        found = [
            float(match[3])
            for line in self.page().splitlines()
            if (match := _SAMPLE.match(line))
            and match[1] == name
            and wanted <= set((match[2] or "").split(","))
        ]
        assert len(found) <= 1, f"{name} {labels}: {found}"
        return found[0] if found else None

    def outcomes(self, instance: str) -> dict[str, float]:
        """Return how many polls of an instance ended how, all at one instant."""
        return outcomes(self.page(), instance)

    def polls(self, instance: str, outcome: str) -> float:
        """Return how many polls of an instance ended so."""
        value = self.value("feldera_exporter_polls_total", feldera_instance=instance, outcome=outcome)
        assert value is not None
        return value

    def lines(self) -> list[dict[str, Any]]:
        """Return the log."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def rss(self) -> int:
        """Return the most memory that the process ever had, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024


def outcomes(page: str, instance: str) -> dict[str, float]:
    """Return how many polls of an instance ended how, by a page of metrics."""
    start = f'feldera_exporter_polls_total{{feldera_instance="{instance}",outcome="'
    found = [line.removeprefix(start) for line in page.splitlines() if line.startswith(start)]
    return {line.partition('"')[0]: float(line.rpartition(" ")[2]) for line in found}


@contextmanager
def running(folder: Path, configuration: str, *flags: str) -> Iterator[RunningExporter]:
    """Run the program until the context ends; SIGTERM must end it, without a traceback."""
    (folder / "exporter.yml").write_text(configuration)
    (folder / "exporter.yml").chmod(0o600)
    log = folder / "exporter.log"
    command = [sys.executable, "-m", "feldera_exporter", f"--config.file={folder}/exporter.yml"]
    command += ["--web.listen-address=127.0.0.1:0", "--log.format=json", *flags]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
    try:
        url = until(lambda: _address(log, process))
        yield RunningExporter(url, process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
    text = log.read_text()
    assert code == 0, text
    assert "Traceback" not in text
    assert all(isinstance(json.loads(line), dict) for line in text.splitlines()), text


@contextmanager
def two_instances(
    folder: Path,
    *,
    hostile: str = "",
    more: str = "",
    healthy: Sequence[str] = ("good",),
    poll: str = "500ms",
) -> Iterator[tuple[RunningExporter, RawServer, Feldera]]:
    """Run the program on an instance `hostile` behind a raw_server and an instance `healthy`.

    Args:
        folder: for files.
        hostile: further keys of the hostile instance, as YAML flow pairs.
        more: further keys of the configuration.
        healthy: names of the healthy instance's pipelines.
        poll: the interval of the hostile instance.
    """
    with ExitStack() as stack:
        victim = feldera("victim", "other")
        upstream = stack.enter_context(serve(FelderaServer(victim)))
        good = stack.enter_context(serve(FelderaServer(feldera(*healthy))))
        raw_server = stack.enter_context(serving_raw(upstream))
        configuration = (
            "instances:\n"
            f"  - {{name: hostile, url: '{raw_server.url}', poll_interval: {poll}{hostile and ', ' + hostile}}}\n"
            f"  - {{name: healthy, url: '{good}', poll_interval: 700ms}}\n{more}"
        )
        program = stack.enter_context(running(folder, configuration))
        # The first poll may fail on a busy machine; one of the next ones succeeds.
        until(lambda: all(program.value("feldera_up", feldera_instance=name) == 1 for name in INSTANCES))
        yield program, raw_server, victim


def until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Return what a condition gives once it is truthy; a busy machine has time."""
    deadline, pause = time.monotonic() + seconds, 0.05
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(pause)
        pause = min(2 * pause, 0.4)
    return found


def _address(log: Path, process: subprocess.Popen[bytes]) -> str | None:
    assert process.poll() is None, log.read_text()
    for line in log.read_text().splitlines():
        if (event := json.loads(line)).get("msg") == "started":
            return f"http://{event['addresses'].partition(',')[0]}"
    return None
