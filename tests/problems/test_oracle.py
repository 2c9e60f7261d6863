"""The exporter finds the true problems: hours of a simulated fleet, list by list."""

from collections import Counter
from pathlib import Path
from random import Random
from typing import Final

import pytest

from feldera_exporter.simulator.scenarios import SCENARIOS, begin
from feldera_exporter.store.store import Store
from problems.oracle import KNOWN, Found, Oracle
from support.clocks import ManualClock
from support.exporter_driver import ExporterDriver, InProcessApi
from support.ground_truth import RecordedFeldera
from support.tools import THOROUGH, example_count
from support.watched_feldera import WorkloadWithoutDeletions

HOURS: Final = 8 if THOROUGH else 2
PACE: Final = 60
"""Seconds between two lists."""

ELSEWHERE: Final = {
    "ReplayingLong",
    "StuckSynchronizing",
    "ImpossibleState",
    "StuckInitializing",
    "CompileSystemError",
    "CompileStuck",
}
"""What happens in no scenario."""


class ExporterWithOracle:
    """An exporter of a simulated fleet, and the oracle beside it.

    Attributes:
        seen: how often each problem was there.
    """

    def __init__(self, feldera: RecordedFeldera, clock: ManualClock, store: Store) -> None:
        self.seen = Counter[str]()
        self._clock = clock
        self._api = InProcessApi(feldera)
        self._oracle = Oracle(feldera)
        self._driver = ExporterDriver(store=store)
        self.go(0)

    def go(self, seconds: float) -> None:
        """Let time pass, and compare exporter and oracle."""
        self._clock.advance(seconds)
        while True:
            self._driver.poll(self._api.list(), self._clock.now(), self._api.log)
            if not self._driver.ledger.pending:
                break
        expected, found = self._oracle.problems(self._clock.now()), self._found
        assert found.keys() == expected.keys()
        assert {key: found[key] for key, since in expected.items() if since is not None} == {
            key: since for key, since in expected.items() if since is not None
        }
        self.seen.update(problem for _, problem, _ in found)

    def restart(self) -> None:
        """Kill the exporter and start it again."""
        self._driver.restart()

    @property
    def _found(self) -> Found:
        return {
            (each.pipeline_id, each.problem, each.label): since
            for each, since in self._driver.problems.present.items()
            if each.problem in KNOWN
        }


def test_stories(tmp_path: Path) -> None:
    """The oracle agrees on the scenarios: some twenty pipelines, each with a different problem."""
    clock = ManualClock()
    feldera, store = RecordedFeldera(clock), Store.open(tmp_path)
    for scenario in SCENARIOS:
        begin(feldera, scenario)
    compared = ExporterWithOracle(feldera, clock, store)
    for _ in range(HOURS * 3600 // PACE):
        compared.go(PACE)
    store.close()
    assert set(compared.seen) == KNOWN - ELSEWHERE - (set() if THOROUGH else {"BootstrappingLong"})


@pytest.mark.parametrize("seed", range(example_count(10)))
def test_random_lives(seed: int, tmp_path: Path) -> None:
    """The oracle agrees on random users and failures, while the exporter is killed now and then."""
    clock, random = ManualClock(), Random(f"oracle/{seed}")
    feldera, store = RecordedFeldera(clock, seed), Store.open(tmp_path)
    WorkloadWithoutDeletions(feldera, seed, size=10, rate=0.04, trouble=0.4)
    compared = ExporterWithOracle(feldera, clock, store)
    for _ in range(300):
        compared.go(random.choice((1, 5, 30, 30, 61)))
        if random.random() < 0.03:
            compared.restart()
    store.close()
    assert len(compared.seen) > 5
