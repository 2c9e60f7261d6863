"""One pipeline: its row, its events, and the state that the runner, the compiler and its process keep about it."""

from dataclasses import dataclass, field
from typing import Any, Final

from feldera_exporter.micros import Micros
from feldera_exporter.simulator.events import RetainedLog
from feldera_exporter.simulator.plan import Failure, Plan
from feldera_exporter.simulator.row import PipelineRow

NEVER: Final = 1 << 62
"""An instant that no clock reaches."""


@dataclass(slots=True)
class Process:
    """The process of one deployment: what it would answer on /status.

    Attributes:
        desired: the runtime status it was asked for.
        failure: why it, or its machine, is dead.
        step: counts its steps, so that an outdated action is recognised.
        phase: the next phase of its plan's path.
        memory_max: the memory that it may use, where it was resized.
    """

    status: str
    desired: str
    launched: Micros
    reachable: bool = True
    failure: Failure | None = None
    step: int = 0
    phase: int = 0
    memory_max: str | None = None


@dataclass(slots=True)
class Connectors:
    """How many errors the connectors have met: a count at an instant, and so many more per second."""

    count: int = 0
    rate: float = 0.0
    at: Micros = 0

    def errors(self, now: Micros) -> int:
        """Return the number of errors up to an instant."""
        return self.count + int((now - self.at) * self.rate / 1_000_000)

    def next_change(self, now: Micros) -> Micros:
        """Return the first instant after another at which there is one more."""
        if self.rate <= 0:
            return NEVER
        more = self.errors(now) - self.count + 1
        return max(now + 1, self.at + int(more * 1_000_000 / self.rate) + 1)

    def stopped(self, now: Micros) -> "Connectors":
        """Return the same count, to which nothing is added any more."""
        return Connectors(self.errors(now), 0.0, now)


@dataclass(slots=True)
class Automaton:
    """What the runner keeps in memory about one pipeline (`runner/pipeline_automata.rs`, `PipelineAutomaton`).

    Attributes:
        anchor: the instant of the last poll; the next ones follow on a grid from there.
        wake: the instant of the scheduled poll.
        token: distinguishes that poll from outdated ones.
        busy: whether it waits for the database.
        frozen_until: until when it does nothing at all.
        updated: `prev_details_update`.
        resources_details: `prev_resources_status_details`.
        runtime_details: `prev_runtime_status_details`.
        storage_details: `prev_storage_status_details`.
        provisioning_since: when `provision` was called.
        grace_until: the end of `provisioned_grace_period`.
        stopping_since: when the blocking `stop` was called.
        clearing_since: when the blocking `clear` was called.
        begun: when it began, as the runner did or the pipeline was created.
        recorded: how many events the pipeline had had by then.
    """

    anchor: int = 0
    wake: Micros = NEVER
    token: int = 0
    busy: bool = False
    frozen_until: Micros = 0
    updated: int | None = None
    resources_details: Any = None
    runtime_details: Any = None
    storage_details: Any = None
    provisioning_since: Micros | None = None
    grace_until: Micros | None = None
    stopping_since: Micros | None = None
    clearing_since: Micros | None = None
    begun: Micros = 0
    recorded: int = 0


@dataclass(slots=True, eq=False)
class SimulatedPipeline:
    """One pipeline; mutable, and touched only under its instance's lock.

    Attributes:
        row: the committed row.
        log: the committed events.
        alive: false once it is deleted.
        locked_until: until when a transaction holds the row's lock.
        begun: when the last transaction on it began.
        compiling: counts the compiler's jobs, so that an outdated one is recognised.
        taken: the version of the program that the compiler knows.
        rendered: the row's JSON per selector and version, each with the value it was made of.
    """

    id: str
    row: PipelineRow
    plan: Plan
    log: RetainedLog = field(default_factory=RetainedLog)
    alive: bool = True
    locked_until: Micros = 0
    begun: Micros = 0
    automaton: Automaton = field(init=False)
    process: Process | None = None
    connectors: Connectors = field(init=False)
    compiling: int = 0
    taken: int = 0
    rendered: dict[tuple[object, ...], tuple[PipelineRow, bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with the row's creation."""
        self.automaton = Automaton(anchor=self.row.created_at, begun=self.row.created_at)
        self.connectors = Connectors(at=self.row.created_at)
