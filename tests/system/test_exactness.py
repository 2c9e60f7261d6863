"""A real Prometheus scrapes the real program, which is killed now and then: it has the true counts."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from random import Random
from threading import Event as Flag
from threading import Thread
from typing import Any

import httpx

from feldera_exporter.demo.child_programs import free_port
from feldera_exporter.feldera.statuses import PROGRAM, RESOURCES, STORAGE
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.random_workload import RandomWorkload
from feldera_exporter.simulator.server import FelderaServer
from support import loopback
from support.clocks import ScaledClock
from support.exporter_process import prometheus, until
from support.ground_truth import RecordedFeldera
from support.tools import THOROUGH

LIVING = 30.0 if THOROUGH else 12.0
"""Seconds for which things happen, with a kill every five."""

DIMENSIONS = (RESOURCES.name, PROGRAM.name, STORAGE.name)


class ExporterProgram:
    """The exporter with a store, which can be killed and started again on its address."""

    def __init__(self, url: str, folder: Path) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        configuration = folder / "exporter.yml"
        configuration.write_text(
            f"instances: [{{name: default, url: '{url}', poll_interval: 1s, timeout: 1s}}]\n"
        )
        self._command = [
            sys.executable,
            "-m",
            "feldera_exporter",
            f"--config.file={configuration}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            f"--storage.path={folder / 'store'}",
        ]
        self._log = folder / "exporter.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it has polled."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        until(self._ready)

    def kill(self) -> None:
        """Kill it at once, as the system does when memory runs out."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(5)

    def text(self) -> str:
        """Return what it shows."""
        return loopback.get(f"{self.address}/metrics", timeout=5).text

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()
        try:
            return loopback.get(f"{self.address}/-/ready", timeout=2).is_success
        except httpx.HTTPError:
            return False


class WorkloadWithoutDeletions(RandomWorkload):
    """No pipeline is deleted or renamed, so that every series lasts longer than two scrapes."""

    def _delete(self, name: str) -> None:
        self._label(name)

    def _rename(self, name: str) -> None:
        self._label(name)

    def _swap(self, name: str) -> None:
        self._label(name)


class PlainPoller:
    """Polls the list as a plain exporter does, and counts the changes that it sees."""

    def __init__(self, url: str) -> None:
        self.seen: Counter[tuple[str, str, Any, Any]] = Counter()
        self._url = url
        self._ended = Flag()
        self._thread = Thread(target=self._watch)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Poll every second, as the exporter does, while the context lasts."""
        self._thread.start()
        try:
            yield
        finally:
            self._ended.set()
            self._thread.join()

    def _watch(self) -> None:
        before: dict[str, dict[str, Any]] = {}
        with httpx.Client(trust_env=False, verify=False) as client:
            while not self._ended.wait(1.0):
                rows = client.get(f"{self._url}/v0/pipelines?selector=status").json()
                for row in rows:
                    old = before.get(row["id"], row)
                    for dimension in DIMENSIONS:
                        if old[dimension] != row[dimension]:
                            self.seen[row["id"], dimension, old[dimension], row[dimension]] += 1
                    before[row["id"]] = row


def truth(feldera: RecordedFeldera, since: int) -> Counter[tuple[str, str, Any, Any]]:
    """Return every transition that was committed after an instant."""
    return Counter(
        (life.id, t.dimension, t.before, t.after)
        for life in feldera.truth.lives.values()
        for t in life.transitions
        if t.dimension in DIMENSIONS and t.committed > since
    )


def grown(samples: list[dict[str, Any]]) -> Counter[tuple[str, str, Any, Any]]:
    """Return by how much each counter grew from its first sample on, resets included, as `increase` does."""
    found: Counter[tuple[str, str, Any, Any]] = Counter()
    for series in samples:
        labels = series["metric"]
        dimension = labels["__name__"].removeprefix("feldera_pipeline_").removesuffix("_transitions_total")
        values = [float(value) for _, value in series["values"]]
        growth = sum(b - a if b >= a else b for a, b in pairwise(values))
        key = labels["pipeline"].removeprefix("pipeline-"), dimension, labels["from"], labels["to"]
        found[key] += round(growth)
    return +found


def counted(text: str) -> Counter[tuple[str, str, Any, Any]]:
    """Return what an exposition counts."""
    found: Counter[tuple[str, str, Any, Any]] = Counter()
    for line in text.splitlines():
        for dimension in DIMENSIONS:
            if line.startswith(f"feldera_pipeline_{dimension}_transitions_total{{"):
                parts = line.split('"')
                labels = dict(
                    zip((p.strip(",{= ").split("{")[-1] for p in parts[:-1:2]), parts[1::2], strict=True)
                )
                key = labels["pipeline"].removeprefix("pipeline-"), dimension, labels["from"], labels["to"]
                found[key] += int(line.rsplit(" ", 1)[1])
    return +found


def test_what_prometheus_saw_grow_is_what_happened(tmp_path: Path) -> None:
    """Prometheus has every transition once, over kills of the exporter; plain polling misses some.

    A pipeline's counters are there at 0 before they move, and after a kill they go on from where they were.
    """
    random = Random(7)
    # Twelve times as fast as life, so that much happens between two polls.
    feldera = RecordedFeldera(ScaledClock(time.time_ns() // 1000, speed=12), 7)
    life = WorkloadWithoutDeletions(feldera, 7, size=8, rate=0.6, trouble=0.2)
    server = FelderaServer(feldera)
    # The exporter takes Feldera's time from the Date header: this one is fast, as the clock is.
    with serve(server) as url:
        program, onlooker = ExporterProgram(url, tmp_path), PlainPoller(url)
        configuration = tmp_path / "prometheus.yml"
        target = program.address.removeprefix("http://")
        configuration.write_text(
            "global: {scrape_interval: 1s}\n"
            "scrape_configs:\n"
            f"- {{job_name: feldera-exporter, static_configs: [{{targets: ['{target}']}}]}}\n"
        )
        with prometheus(configuration, tmp_path / "data") as prometheus_url:
            program.start()
            began = feldera.settle()
            try:
                with onlooker.watching():
                    ends = time.monotonic() + LIVING
                    while time.monotonic() < ends:
                        time.sleep(random.uniform(3, 7))
                        program.kill()
                        program.start()
                    life.end()
                    time.sleep(4)
                real = truth(feldera, began)
                until(lambda: counted(program.text()) >= truth(feldera, began), 15)

                def seen() -> Counter[tuple[str, str, Any, Any]]:
                    query = '{__name__=~"feldera_pipeline_.+_transitions_total",from!=""}[10m]'
                    answer = loopback.get(
                        f"{prometheus_url}/api/v1/query", params={"query": query}, timeout=10
                    ).json()
                    return grown(answer["data"]["result"])

                until(lambda: seen() >= real, 15)
                # What began before the first list was read and ended after is the exporter's from then on.
                ours, all_of_it = seen(), truth(feldera, began - 15_000_000)
                assert ours <= all_of_it, ours - all_of_it
                print(
                    f"{real.total()} transitions: {min(ours.total(), real.total())} in Prometheus, "
                    f"{onlooker.seen.total()} by plain polling at the same pace"
                )
                assert onlooker.seen.total() < real.total() <= ours.total()
            finally:
                program.kill()
