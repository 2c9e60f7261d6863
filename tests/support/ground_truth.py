"""A complete record of the simulation, for tests to compare with what the exporter found."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from feldera_exporter.feldera.statuses import PROGRAM, RESOURCES, RUNTIME, STORAGE, combine
from feldera_exporter.micros import Micros
from feldera_exporter.simulator.database import Database
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.instance import Clock
from feldera_exporter.simulator.pipeline import SimulatedPipeline
from feldera_exporter.simulator.row import PipelineRow

COMBINED: Final = "deployment_status"

_READERS: Final = (
    (RESOURCES.name, lambda row: row.resources),
    (RUNTIME.name, lambda row: row.runtime),
    (PROGRAM.name, lambda row: row.program_status),
    (STORAGE.name, lambda row: row.storage_status),
    (COMBINED, lambda row: combine(row.resources, row.runtime)),
)


@dataclass(frozen=True, slots=True)
class Transition:
    """A committed change of one status.

    Attributes:
        dimension: the field's name in the API.
        at: `recorded_at` of its event, which is the row's new `since` too.
        before: the status before, None only where the field is null.
        after: the status after.
        committed: when others could see it.
    """

    dimension: str
    at: Micros
    before: str | None
    after: str | None
    committed: Micros


@dataclass(frozen=True, slots=True)
class ErrorEdge:
    """An error that appeared, or with `code` None: the error that was set is gone."""

    at: Micros
    code: str | None
    committed: Micros


@dataclass(slots=True)
class Life:
    """The complete history of one pipeline, also beyond Feldera's retention.

    Attributes:
        born: the statuses it was created with, per dimension.
        names: its names, each with the instant from which it had it.
        transitions: every committed change, in the order of the commits.
        errors: every appearance and dismissal of an error, in the order of the commits.
    """

    id: str
    created_at: Micros
    born: dict[str, str | None]
    names: list[tuple[int, str]]
    deleted_at: Micros | None = None
    transitions: list[Transition] = field(default_factory=list)
    errors: list[ErrorEdge] = field(default_factory=list)

    def of(self, dimension: str) -> list[Transition]:
        """Return the transitions of one dimension, in the order of the commits."""
        return [transition for transition in self.transitions if transition.dimension == dimension]

    def counts(self, dimension: str) -> Counter[tuple[str | None, str | None]]:
        """Return how often each pair (before, after) was committed."""
        return Counter((transition.before, transition.after) for transition in self.of(dimension))

    def intervals(self, until: Micros, dimension: str = COMBINED) -> list[tuple[str | None, int, int]]:
        """Return the status of each stretch from creation until an instant: (status, from, to).

        A transaction that waited for the row's lock has an earlier start than the one before it: its
        interval then begins where the one before did, which is left with no length. The lengths add up.
        """
        until = until if self.deleted_at is None else min(until, self.deleted_at)
        marks: list[tuple[int, str | None]] = [(self.created_at, self.born[dimension])]
        marks += [(transition.at, transition.after) for transition in self.of(dimension)]
        reached, stretches = self.created_at, []
        for (_, status), (next_at, _) in pairwise([*marks, (until, None)]):
            end = min(max(next_at, reached), max(until, reached))
            stretches.append((status, reached, end))
            reached = end
        return stretches

    def time_in_status(self, until: Micros) -> Counter[str | None]:
        """Return the time spent in each combined status from creation until an instant."""
        spent: Counter[str | None] = Counter()
        for status, begin, end in self.intervals(until):
            spent[status] += end - begin
        return spent

    @property
    def appeared(self) -> list[ErrorEdge]:
        """The errors that appeared."""
        return [edge for edge in self.errors if edge.code is not None]


class GroundTruth:
    """Every pipeline that ever existed, by its id, with deleted ones and events beyond the retention."""

    def __init__(self, database: Database) -> None:
        self.lives: dict[str, Life] = {}
        database.observers.append(self._observe)

    def __getitem__(self, pipeline_id: str) -> Life:
        return self.lives[pipeline_id]

    def _observe(
        self, pipeline: SimulatedPipeline, before: PipelineRow | None, at: Micros, committed: Micros
    ) -> None:
        after = pipeline.row
        if before is None:
            born = {name: reader(after) for name, reader in _READERS}
            self.lives[pipeline.id] = Life(pipeline.id, at, born, [(at, after.name)])
            return
        life = self.lives[pipeline.id]
        if not pipeline.alive:
            life.deleted_at = at
            return
        for dimension, reader in _READERS:
            old, new = reader(before), reader(after)
            if old != new:
                life.transitions.append(Transition(dimension, at, old, new, committed))
        if (before.error is None) != (after.error is None):
            code = after.error.error_code if after.error else None
            life.errors.append(ErrorEdge(at, code, committed))
        if before.name != after.name:
            life.names.append((at, after.name))


class RecordedFeldera(Feldera):
    """An instance with a record of every transition and error that was ever committed: `truth`."""

    def __init__(self, clock: Clock, seed: int = 0, **options: Any) -> None:
        super().__init__(clock, seed, **options)
        self.truth = GroundTruth(self.database)
