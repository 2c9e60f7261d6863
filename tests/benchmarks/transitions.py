"""A million transitions through the stand-in and the exporter's middle: none missed, none counted twice.

python tests/benchmarks/transitions.py [transitions]
"""

import sys
import time
from collections import Counter
from pathlib import Path
from typing import Final

sys.path[:0] = [
    str(Path(__file__).resolve().parents[1]),
    str(Path(__file__).resolve().parents[2] / "exporter"),
]

from driver import Api, Driver  # noqa: E402
from feldera_exporter.feldera.vocabulary import PROGRAM, RESOURCES, RUNTIME, STORAGE  # noqa: E402
from feldera_exporter.simulator.clock import ManualClock  # noqa: E402
from feldera_exporter.simulator.feldera import Feldera  # noqa: E402
from feldera_exporter.simulator.plan import INSTANT  # noqa: E402

MILLION: Final = 1_000_000
PIPELINES: Final = 400
PAUSE: Final = 120.0
"""Seconds between two polls: long enough for several whole deployments."""


def run(transitions: int) -> int:  # noqa: C901 - one life after the other
    """Let pipelines be started, paused, resumed and stopped until enough happened; return how much was miscounted."""
    clock = ManualClock()
    feldera = Feldera(clock, plan=INSTANT, keep_truth=False)
    names = [feldera.create(f"p{number}").row.name for number in range(PIPELINES)]
    clock.advance(600)
    real: Counter[str] = Counter()
    states = {name: _state(feldera, name) for name in names}

    def note(pipeline: object) -> None:
        row = pipeline.row  # type: ignore[attr-defined]
        before, now = states[row.name], (row.resources, row.program_status, row.storage_status, row.runtime)
        states[row.name] = now
        for name, old, new in zip(("resources", "program", "storage", "runtime"), before, now, strict=True):
            if old != new and new is not None:
                real[name] += 1

    feldera.database.listeners.append(note)
    api, driver = Api(feldera), Driver(budget=PIPELINES)
    driver.poll(api.list(), feldera.settle(), api.log)
    driver.poll(api.list(), feldera.settle(), api.log)
    real.clear()
    living = watching = 0.0
    polls, requests = 0, driver.event_requests
    while real.total() < transitions:
        began = time.perf_counter()
        for act in (
            feldera.start,
            feldera.pause,
            feldera.resume,
            lambda name: feldera.stop(name, force=True),
        ):
            for name in names:
                act(name)
            clock.advance(PAUSE / 4)
            feldera.settle()
        between = time.perf_counter()
        driver.poll(api.list(), feldera.settle(), api.log)
        polls += 1
        living, watching = living + between - began, watching + time.perf_counter() - between
    for _ in range(3):
        driver.scrape()
        driver.poll(api.list(), feldera.settle(), api.log)
    counted: Counter[str] = Counter()
    for history in driver.ledger.shown().histories.values():
        for name in ("resources", "program", "storage", "runtime"):
            counted[name] += sum(getattr(history.counts, name).values())
    print(f"{'transitions':>16} {'happened':>10} {'counted':>10} {'missed':>8} {'twice':>8}")
    for dimension, name in (
        (RESOURCES, "resources"),
        (RUNTIME, "runtime"),
        (STORAGE, "storage"),
        (PROGRAM, "program"),
    ):
        missed = max(0, real[name] - counted[name])
        twice = max(0, counted[name] - real[name])
        print(f"{dimension.name[-16:]:>16} {real[name]:>10} {counted[name]:>10} {missed:>8} {twice:>8}")
    total = real.total()
    print(
        f"{total} transitions of {PIPELINES} pipelines in {polls} polls and {driver.event_requests - requests} logs: "
        f"{watching / total * 1e6:.1f} µs each to read and count, {living / total * 1e6:.1f} µs to let them happen"
    )
    return sum(abs(real[name] - counted[name]) for name in real | counted) + driver.ledger.totals.gaps


def _state(feldera: Feldera, name: str) -> tuple[str, str, str, str | None]:
    row = feldera.get(name).row
    return row.resources, row.program_status, row.storage_status, row.runtime


if __name__ == "__main__":
    sys.exit(min(run(int(sys.argv[1]) if len(sys.argv) > 1 else MILLION), 1))
