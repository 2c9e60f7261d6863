"""A long run of the real program with all that a large installation has, to see that nothing is lost and nothing grows.

10,000 pipelines, of which 2 % change per poll; two scrapers with gzip, one without, a reader of pages; a reload a minute; a
`kill -9` every five, but for the last twenty: a process must run for a while to show whether its memory grows.

Run as a program it prints JSON and fails where a figure is not what it must be: `soak.py [MINUTES]`; `soak.py serve` serves
the pipelines.
"""

import gzip
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from statistics import linear_regression
from typing import Any, Final
from urllib.request import ProxyHandler, Request, build_opener

import msgspec

from benchmarks.measuring import cpu_of, memory_of
from feldera_exporter.demo.child_programs import free_port
from feldera_exporter.ledger.visible_counters import HOLD
from support.pipeline_lists import PipelineListGenerator

SIZE: Final = 10_000
SHARE: Final = 0.02
POLL: Final = 5.0
KILL: Final = 300.0
RELOAD: Final = 60.0
MOST: Final = 600.0
"""MiB."""
LAST: Final = 1200.0
"""Seconds for which the last process runs; two thirds of a short run."""
GROWTH: Final = 6.0
"""MiB within ten minutes, after the first ten of the last process: pipelines' histories fill for an hour
(`history_memory.py`)."""
WARM: Final = 10
"""Minutes of a process after which its memory must not grow."""
WARMED: Final = 20.0
"""Seconds after a start from which on every answer counts."""
CATCH_UP: Final = 300.0
"""Seconds after the last change within which all event logs must be read; a machine with other work takes its time."""
_RESOURCES: Final = "feldera_pipeline_deployment_resources_status_transitions_total"
_RUNTIME: Final = "feldera_pipeline_deployment_runtime_status_transitions_total"
_OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0"

_open = build_opener(ProxyHandler({})).open


class ServedPipelines:
    """The pipelines, as they are asked for."""

    def __init__(self) -> None:
        self._pipelines = PipelineListGenerator(SIZE)
        self._guard = threading.Lock()
        self._moving = True
        self.asked: list[float] = []

    def answer(self, path: str) -> bytes | None:
        """Return the body of an answer, None where there is none."""
        with self._guard:
            if path.startswith("/v0/pipelines?"):
                if self.asked and self._moving:
                    self._pipelines.happen(SHARE, time.time_ns() // 1000)
                self.asked.append(time.monotonic())
                return self._pipelines.body()
            if path.startswith("/v0/pipelines/") and "/events?" in path:
                return self._pipelines.log(path.split("/")[3])
            if path == "/stop":
                self._moving = False
                return b"{}"
            if path == "/truth":
                return msgspec.json.encode({"asked": self.asked, "transitions": self._transitions()})
        return None

    def _transitions(self) -> dict[str, int]:
        """Return how often each pipeline went from one resources status to another, and to each runtime status.

        By `name from to`, where `from` is empty for runtime statuses.
        """
        found: Counter[str] = Counter()
        for number in range(SIZE):
            name, resources, runtime = f"pipeline-{number}", "Provisioned", "Running"
            for event in reversed(msgspec.json.decode(self._pipelines.log(name))):
                before, resources = resources, event["deployment_resources_status"]
                if resources != before:
                    found[f"{name} {before} {resources}"] += 1
                before, runtime = runtime, event["deployment_runtime_status"]
                if runtime not in {before, None}:
                    found[f"{name}  {runtime}"] += 1
        return dict(found)


def serve() -> None:
    """Serve the pipelines, say where, and go on until standard input ends."""
    served = ServedPipelines()

    class Handler(BaseHTTPRequestHandler):
        """Answers with what is served."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Answer."""
            body = served.answer(self.path)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body or b"{}")))
            self.end_headers()
            self.wfile.write(body or b"{}")

        def handle(self) -> None:
            """Answer until the connection ends in any way."""
            with suppress(ConnectionError):
                super().handle()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()


@dataclass
class ProcessUsage:
    """One process.

    Attributes:
        began: when it was started, in seconds of the monotonic clock.
        ended: when it ended.
        memory: the most MiB that it had.
        resting: the least MiB that it had in each of its minutes: what it has between two reads.
        descriptors: the most that it had.
        cpu: the seconds of CPU that it took.
    """

    began: float
    ended: float = 0.0
    memory: float = 0.0
    resting: dict[int, float] = field(default_factory=dict)
    descriptors: int = 0
    cpu: float = 0.0


@dataclass
class SoakRun:
    """The run.

    Attributes:
        folder: for files.
        api: the address of the pipelines.
        lives: the processes, the last one of which runs.
        failed: scrapes and pages that were not answered well.
        bad_polls: polls that ended otherwise than well.
    """

    folder: Path
    api: str
    lives: list[ProcessUsage] = field(default_factory=list)
    failed: int = 0
    bad_polls: int = 0
    _port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the program and wait until it answers."""
        (self.folder / "exporter.yml").write_text(
            f"instances: [{{name: prod, url: '{self.api}', poll_interval: {POLL:.0f}s}}]\n"
        )
        flags = [f"--config.file={self.folder}/exporter.yml", f"--web.listen-address=127.0.0.1:{self._port}"]
        flags += [f"--storage.path={self.folder}/store", "--web.enable-lifecycle", "--log.level=warning"]
        with (self.folder / "exporter.log").open("ab") as log:
            self._process = subprocess.Popen([sys.executable, "-m", "feldera_exporter", *flags], stderr=log)
        self.lives.append(ProcessUsage(time.monotonic()))
        while not self.get("/-/ready"):
            if self._process.poll() is not None:
                raise ChildProcessError((self.folder / "exporter.log").read_text())
            time.sleep(0.2)

    def end(self, number: signal.Signals) -> None:
        """End the program by a signal."""
        assert self._process is not None
        self.measure()
        # Before the signal: what is being answered now may be cut.
        self.lives[-1].ended = time.monotonic()
        self._process.send_signal(number)
        self._process.wait(20)

    def measure(self) -> None:
        """Note how much memory, how many descriptors and how much time the process has taken."""
        assert self._process is not None
        life, pid = self.lives[-1], self._process.pid
        life.memory, life.cpu = memory_of(pid), cpu_of(pid)
        minute, resident = int((time.monotonic() - life.began) / 60), memory_of(pid, "VmRSS")
        life.resting[minute] = min(resident, life.resting.get(minute, resident))
        life.descriptors = max(life.descriptors, len(list(Path(f"/proc/{pid}/fd").iterdir())))

    def get(self, path: str, method: str = "GET", **headers: str) -> bytes:
        """Return an answer, empty where there is none."""
        request = Request(f"http://127.0.0.1:{self._port}{path}", method=method, headers=headers)
        try:
            with _open(request, timeout=10) as reply:
                found: bytes = reply.read()
                return found
        except (OSError, HTTPException):  # a kill may cut an answer
            return b""

    def read(self, ending: threading.Event, every: float, path: str, **headers: str) -> None:
        """Request a page again and again while the program runs."""
        while not ending.wait(every):
            life = self.lives[-1]
            if not self.get(path, **headers) and life is self.lives[-1] and self._has_run():
                self.failed += 1

    def _has_run(self) -> bool:
        """Return whether the program has run for a while, and still does."""
        life = self.lives[-1]
        return not life.ended and time.monotonic() - life.began > WARMED

    def note_polls(self) -> None:
        """Count the polls of this process that ended otherwise than well."""
        for line in self.lines():
            if line.startswith("feldera_exporter_polls_total{") and 'outcome="success"' not in line:
                self.bad_polls += int(float(line.rpartition(" ")[2]))

    def has_read_all(self) -> bool:
        """Return whether no event log is left to be read."""
        start = "feldera_exporter_event_backlog{"
        return any(line.startswith(start) and line.endswith(" 0.0") for line in self.lines())

    def lines(self) -> list[str]:
        """Return the lines of the metrics."""
        packed = self.get("/metrics", **{"Accept-Encoding": "gzip"})
        return gzip.decompress(packed).decode().splitlines() if packed else []

    def wrong_counters(self, transitions: dict[str, int]) -> list[str]:
        """Return every counter of transitions that is not what really happened, with what it says and should say."""
        found: Counter[str] = Counter()
        for line in self.lines():
            if line.startswith((f"{_RESOURCES}{{", f"{_RUNTIME}{{")) and not line.endswith(" 0"):
                pairs = line.partition("{")[2].partition("}")[0].split(",")
                labels = {key: value.strip('"') for key, value in (pair.split("=", 1) for pair in pairs)}
                key = f"{labels['pipeline_name']} {labels.get('from', '')} {labels['to']}"
                found[key] = int(float(line.rpartition(" ")[2]))
        keys = found.keys() | transitions.keys()
        return [
            f"{key}: {found[key]}, {transitions.get(key, 0)}"
            for key in sorted(keys)
            if found[key] != transitions.get(key, 0)
        ]


@contextmanager
def reading(soak: SoakRun) -> Iterator[None]:
    """Run the readers while the context lasts."""
    ending = threading.Event()
    readers = [
        (POLL, "/metrics", {"Accept-Encoding": "gzip"}),
        (POLL, "/metrics", {"Accept-Encoding": "gzip", "Accept": _OPENMETRICS}),
        (3 * POLL, "/metrics", {}),
        (6 * POLL, "/", {"Accept-Encoding": "gzip"}),
    ]
    threads = [
        threading.Thread(target=soak.read, args=(ending, every, path), kwargs=headers)
        for every, path, headers in readers
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ending.set()
        for thread in threads:
            thread.join()


def missed(asked: list[float], lives: list[ProcessUsage]) -> list[str]:
    """Return the polls that there should have been between those that there were: how long after its process's start."""
    return [
        f"a poll was missed {earlier - life.began + number * POLL:.0f} s after a start"
        for earlier, later in pairwise(asked)
        for life in lives
        if life.began < earlier and later < life.ended
        for number in range(1, round((later - earlier) / POLL))
    ]


def growth(life: ProcessUsage) -> float | None:
    """Return by how many MiB per ten minutes a process's memory grew after its first ten; None if it ended too early."""
    late = [(minute, memory) for minute, memory in life.resting.items() if minute >= WARM]
    return 10 * linear_regression(*zip(*late, strict=True)).slope if len(late) >= WARM / 2 else None


def main(seconds: float) -> int:
    """Run for so long, print the figures, and return 1 where one is not what it must be."""
    last = min(LAST, seconds * 2 / 3)
    kill, reload = min(KILL, seconds - last), min(RELOAD, seconds / 4)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        command = [sys.executable, __file__, "serve"]
        server = stack.enter_context(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        assert server.stdout
        soak = SoakRun(folder, server.stdout.readline().strip())
        assert server.stdin
        stack.callback(server.stdin.close)
        soak.start()
        began, reloads, kills = time.monotonic(), 0, 0
        with reading(soak):
            while (passed := time.monotonic() - began) < seconds:
                time.sleep(1)
                soak.measure()
                if passed > (reloads + 1) * reload:
                    reloads += 1
                    soak.get("/-/reload", "POST")
                if passed > (kills + 1) * kill and kills < (seconds - last) // kill:
                    kills += 1
                    soak.note_polls()
                    soak.end(signal.SIGKILL)
                    soak.start()
        grown = growth(soak.lives[-1])
        with _open(f"{soak.api}/stop"):
            # Nothing happens any more: what is held back of new pipelines' counters is shown.
            time.sleep(max(4 * POLL, HOLD / 1_000_000 + 2 * POLL - seconds))
        deadline = time.monotonic() + CATCH_UP
        while not (caught_up := soak.has_read_all()) and time.monotonic() < deadline:
            time.sleep(1)
        soak.note_polls()
        with _open(f"{soak.api}/truth") as reply:
            truth = msgspec.json.decode(reply.read())
        wrong = soak.wrong_counters(truth["transitions"])
        soak.end(signal.SIGTERM)
        log = (folder / "exporter.log").read_text()
    late, lives = missed(truth["asked"], soak.lives), soak.lives
    figures = {
        "minutes": round(seconds / 60, 1),
        "kills": kills,
        "reloads": reloads,
        "polls": len(truth["asked"]),
        "transitions": sum(truth["transitions"].values()),
        "event logs were read to their ends": caught_up,
        "wrong counters": len(wrong),
        "polls missed": len(late),
        "polls failed": soak.bad_polls,
        "answers missed": soak.failed,
        "most memory, MiB": round(max(life.memory for life in lives), 1),
        "memory at rest by minute, MiB": [round(memory, 1) for memory in lives[-1].resting.values()],
        "memory more in ten minutes, MiB": grown and round(grown, 2),
        "descriptors at most": max(life.descriptors for life in lives),
        "share of a core": round(sum(life.cpu / (life.ended - life.began) for life in lives) / len(lives), 2),
    }
    print(msgspec.json.format(msgspec.json.encode(figures), indent=1).decode())
    good = caught_up and not (wrong or late or soak.bad_polls or soak.failed)
    good = good and max(life.memory for life in lives) <= MOST and (grown or 0) < GROWTH
    if not good:
        print(*wrong[:20], *late, log, sep="\n", file=sys.stderr)
    return 0 if good else 1


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        sys.exit(main(60 * float(sys.argv[1] if len(sys.argv) > 1 else "45")))
