"""Feldera's statuses: the dimensions, their values, their legal transitions and what each means to a person.

The sets and transitions are Feldera's own (pipeline-manager `db/types/*_status.rs`, `program.rs`, `storage.rs`, and
`feldera-types` `runtime_status.rs`). A status is a plain string: Feldera adds new ones over time, and one that is
not in these tables is exported under its own name and counted, never refused.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

Pair = tuple[str, str]


class Kind(StrEnum):
    """What a status means to a person; one colour each, on every board and page."""

    GOOD = "good"
    TRANSIENT = "transient"
    BAD = "bad"
    NEEDS_PERSON = "needs a person"
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class Dimension:
    """One status field of a pipeline.

    Attributes:
        name: the field's name in Feldera's API, which is also the name in the metrics.
        statuses: every known value, mapped to its kind, in the order of a pipeline's life.
        transitions: the pairs (from, to) that Feldera's state machine allows; empty where it validates none.
        nullable: whether the field is null while the pipeline is not Provisioned.
    """

    name: str
    statuses: MappingProxyType[str, Kind]
    transitions: tuple[Pair, ...] = ()
    nullable: bool = False


def _kinds(**statuses: Kind) -> MappingProxyType[str, Kind]:
    return MappingProxyType(statuses)


_RUNTIME: Final = _kinds(
    Initializing=Kind.TRANSIENT,
    AwaitingApproval=Kind.NEEDS_PERSON,
    Bootstrapping=Kind.TRANSIENT,
    ConcurrentBootstrapping=Kind.TRANSIENT,
    Synchronizing=Kind.TRANSIENT,
    Replaying=Kind.TRANSIENT,
    Standby=Kind.GOOD,
    Paused=Kind.IDLE,
    Running=Kind.GOOD,
    Suspended=Kind.TRANSIENT,
    Coordination=Kind.TRANSIENT,
    Unavailable=Kind.BAD,
)

_DESIRED: Final = ("Stopped", "Standby", "Paused", "Running", "Suspended", "Unavailable", "Coordination")

RESOURCES: Final = Dimension(
    "deployment_resources_status",
    _kinds(Stopped=Kind.IDLE, Provisioning=Kind.TRANSIENT, Provisioned=Kind.GOOD, Stopping=Kind.TRANSIENT),
    (
        ("Stopped", "Provisioning"),
        ("Provisioning", "Provisioned"),
        ("Provisioning", "Stopping"),
        ("Provisioned", "Stopping"),
        ("Stopping", "Stopped"),
    ),
)

RUNTIME: Final = Dimension("deployment_runtime_status", _RUNTIME, nullable=True)

DEPLOYMENT: Final = Dimension(
    "deployment_status",
    _kinds(
        Stopped=Kind.IDLE,
        Provisioning=Kind.TRANSIENT,
        **_RUNTIME,
        Stopping=Kind.TRANSIENT,
    ),
)

DEPLOYMENT_DESIRED: Final = Dimension(
    "deployment_desired_status",
    _kinds(**{status: Kind.IDLE for status in _DESIRED if status != "Coordination"}),
)

RESOURCES_DESIRED: Final = Dimension(
    "deployment_resources_desired_status", _kinds(Stopped=Kind.IDLE, Provisioned=Kind.IDLE)
)

RUNTIME_DESIRED: Final = Dimension(
    "deployment_runtime_desired_status",
    _kinds(**{status: Kind.IDLE for status in _DESIRED if status != "Stopped"}),
    nullable=True,
)

PROGRAM: Final = Dimension(
    "program_status",
    _kinds(
        Pending=Kind.TRANSIENT,
        CompilingSql=Kind.TRANSIENT,
        SqlCompiled=Kind.TRANSIENT,
        CompilingRust=Kind.TRANSIENT,
        Success=Kind.GOOD,
        SqlError=Kind.BAD,
        RustError=Kind.BAD,
        SystemError=Kind.BAD,
    ),
    (
        ("Pending", "CompilingSql"),
        ("Pending", "SystemError"),
        ("CompilingSql", "Pending"),
        ("CompilingSql", "SqlCompiled"),
        ("CompilingSql", "SqlError"),
        ("CompilingSql", "SystemError"),
        ("SqlCompiled", "Pending"),
        ("SqlCompiled", "CompilingRust"),
        ("CompilingRust", "Pending"),
        ("CompilingRust", "SqlCompiled"),
        ("CompilingRust", "Success"),
        ("CompilingRust", "RustError"),
        ("CompilingRust", "SystemError"),
        ("Success", "Pending"),
        ("SqlError", "Pending"),
        ("RustError", "Pending"),
        ("SystemError", "Pending"),
    ),
)

STORAGE: Final = Dimension(
    "storage_status",
    _kinds(Cleared=Kind.IDLE, InUse=Kind.GOOD, Clearing=Kind.TRANSIENT),
    (("Cleared", "InUse"), ("InUse", "Clearing"), ("Clearing", "Cleared")),
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

SERVICES: Final = ("api", "compiler", "runner")
"""The services whose health `GET /v0/cluster_healthz` reports."""


def combine(resources: str, runtime: str | None) -> str | None:
    """Return the combined `deployment_status`: the runtime status while Provisioned, else the resources status.

    Feldera's rule: pipeline-manager `db/types/combined_status.rs`. None while Provisioned and without a runtime
    status, which Feldera never reports but a hostile answer may.
    """
    return runtime if resources == "Provisioned" else resources
