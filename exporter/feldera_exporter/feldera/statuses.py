"""Feldera's statuses: the dimensions, one row for each status, the allowed transitions.

The sets and transitions are Feldera's own (pipeline-manager `db/types/*_status.rs`, `program.rs`, `storage.rs`, and
`feldera-types` `runtime_status.rs`). A status is a plain string: Feldera adds new ones over time. An unknown status is
exported under its name and counted.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

Pair = tuple[str, str]


class Kind(StrEnum):
    """What a status means to people; each kind has one colour on all dashboards and pages."""

    GOOD = "good"
    TRANSIENT = "transient"
    BAD = "bad"
    NEEDS_PERSON = "needs a person"
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class Status:
    """One status and its properties.

    Attributes:
        name: the name in Feldera.
        kind: what it means to people.
        limit: how long it may last by default, in seconds; infinity without a limit.
        starting: whether a pipeline in it is on the way to whatever deployed status is desired.
        overdue: the problem of a pipeline whose status lasts longer than the limit; empty for the dimension's.
    """

    name: str
    kind: Kind
    limit: float = math.inf
    starting: bool = False
    overdue: str = ""

    @property
    def timed(self) -> bool:
        """Whether its durations are observed when it ends: it has a limit, and is more than a defect."""
        return math.isfinite(self.limit) and self.overdue != "ImpossibleState"


@dataclass(frozen=True, slots=True)
class Dimension:
    """One status field of a pipeline.

    Attributes:
        name: the field's name in Feldera's API and in the metrics.
        rows: the known statuses by name, in the order of a pipeline's life.
        statuses: the kind of each.
        transitions: the pairs (from, to) that Feldera's state machine allows; empty if it checks none.
        nullable: whether the field is null while the pipeline is not Provisioned.
        overdue: the problem of a status that lasts longer than its limit, unless the status has its own.
    """

    name: str
    rows: MappingProxyType[str, Status]
    statuses: MappingProxyType[str, Kind]
    transitions: tuple[Pair, ...] = ()
    nullable: bool = False
    overdue: str = "Stuck"

    def overdue_problem(self, status: str) -> str:
        """Return the problem of a status that lasts longer than its limit."""
        row = self.rows.get(status)
        return row.overdue if row is not None and row.overdue else self.overdue


def _dimension(
    name: str,
    rows: Iterable[Status],
    transitions: Mapping[str, Sequence[str]] = MappingProxyType({}),
    *,
    nullable: bool = False,
    overdue: str = "Stuck",
) -> Dimension:
    """Return a dimension; `transitions` has by each status those that may follow it."""
    by_name = {row.name: row for row in rows}
    kinds = {row.name: row.kind for row in by_name.values()}
    pairs = tuple((old, new) for old, following in transitions.items() for new in following)
    return Dimension(name, MappingProxyType(by_name), MappingProxyType(kinds), pairs, nullable, overdue)


_MINUTE: Final = 60.0
_HOUR: Final = 3600.0

_STOPPED: Final = Status("Stopped", Kind.IDLE)
_PROVISIONING: Final = Status(
    "Provisioning", Kind.TRANSIENT, 10 * _MINUTE, starting=True, overdue="StuckProvisioning"
)
_STOPPING: Final = Status("Stopping", Kind.TRANSIENT, 15 * _MINUTE, overdue="StuckStopping")

_RUNTIME: Final = (
    Status("Initializing", Kind.TRANSIENT, 20 * _MINUTE, starting=True, overdue="StuckInitializing"),
    Status("AwaitingApproval", Kind.NEEDS_PERSON, 15 * _MINUTE, starting=True, overdue="AwaitingApproval"),
    Status("Bootstrapping", Kind.TRANSIENT, 6 * _HOUR, starting=True, overdue="BootstrappingLong"),
    Status("ConcurrentBootstrapping", Kind.TRANSIENT, 6 * _HOUR, starting=True, overdue="BootstrappingLong"),
    Status("Synchronizing", Kind.TRANSIENT, 15 * _MINUTE, starting=True, overdue="StuckSynchronizing"),
    Status("Replaying", Kind.TRANSIENT, 2 * _HOUR, starting=True, overdue="ReplayingLong"),
    Status("Standby", Kind.GOOD),
    Status("Paused", Kind.IDLE),
    Status("Running", Kind.GOOD),
    # The runner stops a suspended pipeline at once, and Coordination should never be visible: some minutes are a defect.
    Status("Suspended", Kind.TRANSIENT, 10 * _MINUTE, overdue="ImpossibleState"),
    Status("Coordination", Kind.TRANSIENT, 10 * _MINUTE, starting=True, overdue="ImpossibleState"),
    # Some servers keep the desired status while the pipeline does not respond: therefore `starting`.
    Status("Unavailable", Kind.BAD, 5 * _MINUTE, starting=True, overdue="Unavailable"),
)

_DESIRED: Final = ("Stopped", "Standby", "Paused", "Running", "Suspended", "Unavailable", "Coordination")

RESOURCES: Final = _dimension(
    "deployment_resources_status",
    (_STOPPED, _PROVISIONING, Status("Provisioned", Kind.GOOD), _STOPPING),
    {
        "Stopped": ("Provisioning",),
        "Provisioning": ("Provisioned", "Stopping"),
        "Provisioned": ("Stopping",),
        "Stopping": ("Stopped",),
    },
)

RUNTIME: Final = _dimension("deployment_runtime_status", _RUNTIME, nullable=True)

DEPLOYMENT: Final = _dimension("deployment_status", (_STOPPED, _PROVISIONING, *_RUNTIME, _STOPPING))

DEPLOYMENT_DESIRED: Final = _dimension(
    "deployment_desired_status",
    (Status(status, Kind.IDLE) for status in _DESIRED if status != "Coordination"),
)

RESOURCES_DESIRED: Final = _dimension(
    "deployment_resources_desired_status",
    (Status(status, Kind.IDLE) for status in ("Stopped", "Provisioned")),
)

RUNTIME_DESIRED: Final = _dimension(
    "deployment_runtime_desired_status",
    (Status(status, Kind.IDLE) for status in _DESIRED if status != "Stopped"),
    nullable=True,
)

PROGRAM: Final = _dimension(
    "program_status",
    (
        Status("Pending", Kind.TRANSIENT, 1 * _HOUR),
        Status("CompilingSql", Kind.TRANSIENT, 30 * _MINUTE),
        Status("SqlCompiled", Kind.TRANSIENT, 1 * _HOUR),
        Status("CompilingRust", Kind.TRANSIENT, 1 * _HOUR),
        Status("Success", Kind.GOOD),
        Status("SqlError", Kind.BAD),
        Status("RustError", Kind.BAD),
        Status("SystemError", Kind.BAD),
    ),
    {
        "Pending": ("CompilingSql", "SystemError"),
        "CompilingSql": ("Pending", "SqlCompiled", "SqlError", "SystemError"),
        "SqlCompiled": ("Pending", "CompilingRust"),
        "CompilingRust": ("Pending", "SqlCompiled", "Success", "RustError", "SystemError"),
        "Success": ("Pending",),
        "SqlError": ("Pending",),
        "RustError": ("Pending",),
        "SystemError": ("Pending",),
    },
    overdue="CompileStuck",
)

STORAGE: Final = _dimension(
    "storage_status",
    (
        Status("Cleared", Kind.IDLE),
        Status("InUse", Kind.GOOD),
        Status("Clearing", Kind.TRANSIENT, 15 * _MINUTE),
    ),
    {"Cleared": ("InUse",), "InUse": ("Clearing",), "Clearing": ("Cleared",)},
    overdue="StorageClearingStuck",
)

DIMENSIONS: Final = (
    DEPLOYMENT,
    RESOURCES,
    RUNTIME,
    DEPLOYMENT_DESIRED,
    RESOURCES_DESIRED,
    RUNTIME_DESIRED,
    PROGRAM,
    STORAGE,
)

STATUSES: Final = MappingProxyType({**DEPLOYMENT.rows, **PROGRAM.rows, **STORAGE.rows})
"""The statuses that may have a limit, by name; each name is in one dimension only."""

TIMED: Final = tuple(row.name for row in STATUSES.values() if row.timed)
"""The statuses whose durations are observed."""


class Difference(StrEnum):
    """How the desired and the actual status differ; the values are the names of the limits."""

    START_PENDING = "StartPending"
    DRIFT = "Drift"


DEFAULT_LIMITS: Final = MappingProxyType(
    {row.name: row.limit for row in STATUSES.values() if math.isfinite(row.limit)}
    | {Difference.START_PENDING.value: 10 * _MINUTE, Difference.DRIFT.value: 30 * _MINUTE}
)
"""How long a status may last before it counts as stuck, in seconds.

`StartPending` and `Drift` are not statuses: they are the two ways in which the desired and the actual status differ.
"""

SERVICES: Final = ("api", "compiler", "runner")
"""The services whose health `GET /v0/cluster_healthz` reports."""


def combine(resources: str, runtime: str | None) -> str | None:
    """Return the combined `deployment_status`: the runtime status while Provisioned, else the resources status.

    Feldera's rule: pipeline-manager `db/types/combined_status.rs`. None while Provisioned without a runtime status,
    which Feldera never reports.
    """
    return runtime if resources == "Provisioned" else resources
