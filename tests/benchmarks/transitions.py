"""A million transitions through the stand-in and the exporter's middle: none missed, none counted twice.

Run as a program it prints JSON: `transitions.py [TRANSITIONS]`; it ends with 1 if anything was miscounted.
"""

import sys
import time
from collections import Counter
from typing import Final

import msgspec

from benchmarks.verdicts import MILLION
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.pipeline import SimulatedPipeline
from support.clocks import ManualClock
from support.exporter_driver import ExporterDriver, InProcessApi
from support.plans import INSTANT

PIPELINES: Final = 400
LIVES: Final = 4
"""How often each pipeline is started, paused, resumed and stopped between two polls."""
PAUSE: Final = 30.0
"""Seconds between two such acts: long enough for each to come to its end."""
KINDS: Final = ("resources", "program", "storage", "runtime")


class ChangeCounter:
    """Counts the changes as they are committed: the stand-in's own truth would keep every transition."""

    def __init__(self, feldera: Feldera) -> None:
        self.seen: Counter[str] = Counter()
        self._states = {pipeline.id: _state(pipeline) for pipeline in feldera.pipelines()}
        feldera.database.listeners.append(self._note)

    def _note(self, pipeline: SimulatedPipeline) -> None:
        before, now = self._states[pipeline.id], _state(pipeline)
        self._states[pipeline.id] = now
        for kind, old, new in zip(KINDS, before, now, strict=True):
            if old != new and new is not None:
                self.seen[kind] += 1


def run(transitions: int) -> dict[str, float]:
    """Start, pause, resume and stop pipelines until enough happened; return what was counted of it."""
    clock = ManualClock()
    feldera = Feldera(clock, plan=INSTANT)
    names = [feldera.create(f"p{number}").row.name for number in range(PIPELINES)]
    clock.advance(600)
    feldera.settle()
    witness, api, driver = ChangeCounter(feldera), InProcessApi(feldera), ExporterDriver(budget=PIPELINES)
    for _ in range(2):
        driver.poll(api.list(), feldera.settle(), api.log)
    witness.seen.clear()
    acts = (feldera.start, feldera.pause, feldera.resume, lambda name: feldera.stop(name, force=True))
    polls, requests, reading = 0, driver.event_requests, driver.reading
    began = time.process_time()
    while witness.seen.total() < transitions:
        for act in acts * LIVES:
            for name in names:
                act(name)
            clock.advance(PAUSE)
            feldera.settle()
        driver.poll(api.list(), feldera.settle(), api.log)
        polls += 1
    spent, reading = (time.process_time() - began) * 1000, driver.reading - reading
    logs = driver.event_requests - requests
    for _ in range(3):
        driver.scrape()
        driver.poll(api.list(), feldera.settle(), api.log)
    counted = Counter[str]()
    for history in driver.ledger.published().histories.values():
        for kind in KINDS:
            counted[kind] += sum(getattr(history.counts, kind).values())
    return {
        "happened": witness.seen.total(),
        "missed": (witness.seen - counted).total(),
        "counted twice": (counted - witness.seen).total(),
        "gaps": driver.ledger.totals.gaps,
        "polls": polls,
        "logs": logs,
        "µs to read and count one": reading * 1000 / witness.seen.total(),
        "seconds in all": spent / 1000,
    }


def _state(pipeline: SimulatedPipeline) -> tuple[str | None, ...]:
    row = pipeline.row
    return row.resources, row.program_status, row.storage_status, row.runtime


if __name__ == "__main__":
    _found = run(int(sys.argv[1]) if len(sys.argv) > 1 else MILLION)
    sys.stdout.buffer.write(msgspec.json.encode(_found))
    sys.exit(bool(_found["missed"] or _found["counted twice"] or _found["gaps"]))
