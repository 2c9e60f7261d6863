"""A simulated Feldera and the exporter without network that watches it, with outages and restarts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from feldera_exporter.feldera.errors import ServerError
from feldera_exporter.history.history import History
from feldera_exporter.ledger.visible_counters import HOLD
from feldera_exporter.polling.feldera_clock import FelderaClock
from feldera_exporter.simulator.manager_processes import ManagerProcesses
from feldera_exporter.simulator.random_workload import RandomWorkload
from feldera_exporter.store.store import Store
from support.clocks import ManualClock
from support.exporter_driver import ExporterDriver, InProcessApi
from support.ground_truth import RecordedFeldera
from support.stepping_clock import SteppingApi, SteppingClock

SECOND: Final = 1_000_000

OPEN_SOURCE: Final = ManagerProcesses()
"""One process does one database operation at a time."""

WAITING: Final = ManagerProcesses(separate=True, takes=0.002, waits=0.05, holds=0.1, longest_wait=2)
"""Separate processes, on clocks that agree; transactions wait for each other."""

SYNCHRONISED: Final = ManagerProcesses(separate=True, takes=0.002, skew={"runner": 0.004, "compiler": -0.003})
"""Clocks as NTP keeps them."""

CROWDED: Final = ManagerProcesses(
    separate=True, takes=0.002, skew={"runner": 0.004, "compiler": -0.003}, waits=0.2, holds=0.05
)
"""The same, and every fifth transaction waits, for seconds."""

AHEAD: Final = ManagerProcesses(separate=True, takes=0.002, skew={"runner": 0.2, "compiler": -0.1})
"""Clocks that are not kept right."""

_EVERYTHING: Final = 1_000_000
"""More events than any pipeline has."""

_NAME: Final = re.compile(r',pipeline_name="[^"]*"')
_COUNTERS: Final = ("_total", "_bucket", "_count", "_sum")
_FELDERAS_OWN: Final = "feldera_pipeline_connector_errors_total"
"""Feldera counts it from 0 with each deployment."""


@dataclass(slots=True)
class Scraper:
    """Reads expositions as Prometheus does, and checks each counter against what it read before.

    Attributes:
        strict: whether each of a pipeline's series must be 0 at first; a pair of statuses that no state machine knows
            has no zero.
        seen: what was read last.
        at: when that was.
    """

    strict: bool = True
    seen: dict[str, float] = field(default_factory=dict)
    at: int = 0

    def read(self, text: str, at: int) -> None:
        """Check that no counter fell, and that one of a pipeline that was never read before is 0.

        Of a pipeline that may have appeared two minutes ago, this cannot be said.
        """
        # The exporter is wrong about the time by a second.
        strict = self.strict and at - self.at < HOLD - 2 * SECOND
        self.at = at
        for line in text.splitlines():
            family, braces, rest = line.partition("{")
            if not braces or not family.endswith(_COUNTERS) or family == _FELDERAS_OWN:
                continue
            labels, _, value = rest.rpartition("} ")
            # A renamed pipeline is still the same.
            key, number = f"{family}{{{_NAME.sub('', labels)}", float(value)
            before = self.seen.get(key, 0.0)
            assert number >= before, (line, before)
            new = key not in self.seen and family.startswith("feldera_pipeline_")
            assert not new or number == 0 or not strict, line
            self.seen[key] = number


class WorkloadWithoutDeletions(RandomWorkload):
    """A workload in which no pipeline is deleted, so that everything can be counted."""

    def _delete(self, name: str) -> None:
        self._label(name)


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """How an instance is used, deployed and watched.

    Attributes:
        seed: of everything that happens.
        processes: how Feldera is deployed.
        polls: how many there are.
        size: pipelines.
        rate: things tried per second over all pipelines.
        pauses: seconds between polls, drawn for each.
        retention: events kept by pipeline.
        event_log: whether the server has one.
        budgets: how many logs are read after one list; one of them is drawn.
        outages: the share of polls that fail, and of answers of the event log that do.
        restarts: the share of polls after which the exporter is killed.
        scrapes: the share of polls after which it is scraped; it is every minute in any case.
        workload: what its users do.
        steps: whether Feldera's clock steps back and forth.
    """

    seed: int
    processes: ManagerProcesses = OPEN_SOURCE
    polls: int = 40
    size: int = 5
    rate: float = 1.0
    pauses: Sequence[float] = (1, 5, 5, 5, 20, 90)
    retention: int = 720
    event_log: bool = True
    budgets: Sequence[int] = (1, 3, 200)
    outages: float = 0.05
    restarts: float = 0.08
    scrapes: float = 0.3
    workload: type[RandomWorkload] = RandomWorkload
    steps: bool = False


class WatchedFeldera:
    """An instance, and the exporter that watches it.

    Attributes:
        feldera: the instance, with the truth.
        driver: the middle of the exporter.
        scraper: reads the expositions.
        first: the ids of the pipelines that were there before the watch.
        began: the instant of the first list.
    """

    def __init__(self, settings: WatchSettings, folder: Path) -> None:
        self._settings = settings
        self._random = Random(f"watched/{settings.seed}")
        self._clock = ManualClock()
        self.feldera = RecordedFeldera(
            self._clock,
            settings.seed,
            processes=settings.processes,
            retention=_EVERYTHING if settings.steps else settings.retention,
        )
        self._workload = settings.workload(
            self.feldera, settings.seed, size=settings.size, rate=settings.rate, trouble=0.3
        )
        # What the exporter believes of Feldera's clock, and what that clock says.
        self._believed = FelderaClock(0.0)
        self._steps = SteppingClock(self._random, self._clock.now() + 400 * SECOND, 15 * settings.polls)
        self._disturbed = True
        self._store = Store.open(folder)
        self.driver = ExporterDriver(store=self._store, budget=self._random.choice(settings.budgets))
        self.scraper = Scraper(strict=settings.event_log and not settings.steps)
        self._clock.advance(self._random.uniform(1, 400))
        self.began = self.feldera.settle()
        self._api = (
            SteppingApi(
                self.feldera,
                self._steps,
                settings.retention,
                ids=self._random.random() < 0.5,
                old_until=self.began,
            )
            if settings.steps
            else InProcessApi(self.feldera)
        )
        self._poll()
        self.first = frozenset(self.driver.rows)

    def run(self) -> None:
        """Run the workload with all disturbances, then poll until nothing is pending."""
        chance, now = self._random.random, self._settings
        for _ in range(now.polls):
            self._clock.advance(self._random.choice(now.pauses))
            if self._clock.now() - self.scraper.at > 60 * SECOND:
                self._scrape()
            if chance() >= now.outages:
                self._poll()
            if chance() < now.scrapes:
                self._scrape()
            if chance() < now.restarts:
                self.driver.restart()
        self._workload.end()
        self._disturbed = False
        # Whatever still waits for a lock has it after 10 s. Then time stands still: some programs never come to rest.
        self._clock.advance(30)
        for _ in range(200):
            self._poll()
            self._scrape()
            if not self.driver.ledger.pending:
                break
        self._poll()
        self._scrape()

    @property
    def histories(self) -> Mapping[str, History]:
        """The counted histories, by id."""
        return self.driver.ledger._histories

    def since(self, key: str) -> int:
        """Return the instant from which on a pipeline's transitions are counted."""
        return self.began if key in self.first else -1

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _scrape(self) -> None:
        # After a restart there is nothing to read yet.
        if self.driver.fleet.up:
            self.scraper.read(self.driver.scrape(), self._clock.now())

    def _poll(self) -> None:
        at = self.feldera.settle()
        if self._settings.steps:
            self._steps.settle(at)
        body = self._api.list()
        # What the exporter takes for Feldera's time is exact to a second, and the answer takes its time too.
        noise = round(self._random.uniform(-0.9, 0.9) * SECOND)
        read_at = at
        if self._settings.steps:
            seconds = at / SECOND
            self._believed = self._believed.after_answer(self._steps.read(at) / SECOND, seconds, seconds)
            at = round(self._believed.now(seconds) * SECOND)
        self.driver.poll(body, at + noise, self._log if self._settings.event_log else None, read_at)

    def _log(self, *names: str) -> bytes:
        """Answer a little later, or fail."""
        if self._disturbed:
            self._clock.advance(self._random.choice((0, 0, 0.001, 0.4)))
            if self._random.random() < self._settings.outages:
                raise ServerError("500")
        return self._api.log(*names)
