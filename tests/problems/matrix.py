"""The matrix: for every status that lasts its problem, or the reason why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from feldera_exporter.feldera.statuses import DEPLOYMENT, DEPLOYMENT_DESIRED, PROGRAM, Difference
from feldera_exporter.state.desired_difference import difference
from feldera_exporter.state.pipeline import Pipeline
from problems.examples import pipeline


@dataclass(frozen=True)
class NoProblem:
    """A status that is no problem.

    Attributes:
        reason: why.
    """

    reason: str


Decision = str | NoProblem
"""The problem that a status is when it lasts, or why it is none."""

_ASKED: Final = NoProblem("the actual status is the desired one")
_STEADY: Final = NoProblem("a pipeline may be in it for ever, as the user wants")
_NO_WISH: Final = NoProblem("the runner writes it over the desired status when a pipeline does not answer")
_NEVER_LISTED: Final = NoProblem("Feldera's API fails for the whole list, and FelderaApiUnreachable fires")

_RUNTIME: Final[Mapping[str, Decision]] = {
    "Initializing": "StuckInitializing",
    "AwaitingApproval": "AwaitingApproval",
    "Bootstrapping": "BootstrappingLong",
    "ConcurrentBootstrapping": "BootstrappingLong",
    "Synchronizing": "StuckSynchronizing",
    "Replaying": "ReplayingLong",
    "Standby": _STEADY,
    "Paused": _STEADY,
    "Running": _STEADY,
    "Suspended": "ImpossibleState",
    "Coordination": "ImpossibleState",
    "Unavailable": "Unavailable",
}

DECISIONS: Final[Mapping[str, Mapping[str, Decision]]] = {
    "deployment_status": {
        **_RUNTIME,
        "Stopped": _STEADY,
        "Provisioning": "StuckProvisioning",
        "Stopping": "StuckStopping",
    },
    "deployment_resources_status": {
        "Stopped": _STEADY,
        "Provisioning": "StuckProvisioning",
        "Provisioned": _STEADY,
        "Stopping": "StuckStopping",
    },
    "deployment_runtime_status": _RUNTIME,
    "deployment_desired_status": {
        "Stopped": "DesiredDrift",
        "Standby": "DesiredDrift",
        "Paused": "DesiredDrift",
        "Running": _ASKED,
        "Suspended": "DesiredDrift",
        "Unavailable": _NO_WISH,
    },
    "deployment_resources_desired_status": {"Stopped": "DesiredDrift", "Provisioned": _ASKED},
    "deployment_runtime_desired_status": {
        "Standby": "DesiredDrift",
        "Paused": "DesiredDrift",
        "Running": _ASKED,
        "Suspended": "DesiredDrift",
        "Unavailable": _NO_WISH,
        "Coordination": _NEVER_LISTED,
    },
    "program_status": {
        "Pending": "CompileStuck",
        "CompilingSql": "CompileStuck",
        "SqlCompiled": "CompileStuck",
        "CompilingRust": "CompileStuck",
        "Success": _STEADY,
        "SqlError": "CompileFailed",
        "RustError": "CompileFailed",
        "SystemError": "CompileSystemError",
    },
    "storage_status": {"Cleared": _STEADY, "InUse": _STEADY, "Clearing": "StorageClearingStuck"},
}
"""By dimension and status; the desired ones are held against a pipeline that runs."""

_ALSO_DESIRED: Final = frozenset({"Stopped", "Standby", "Paused", "Unavailable", "Suspended"})


def held(dimension: str, status: str) -> Pipeline:
    """Return a pipeline that has had a status since second 0."""
    if dimension.endswith("desired_status"):
        return pipeline(desired="Running" if status in {"Provisioned", "Coordination"} else status, since=0)
    if dimension.startswith("deployment"):
        actual = "Running" if status == "Provisioned" else status
        desired = "Stopped" if actual == "Stopping" else actual if actual in _ALSO_DESIRED else "Running"
        return pipeline(status=actual, since=0, desired=desired, desired_since=0)
    if dimension == "program_status":
        return pipeline(status="Stopped", desired="Stopped", program=status, program_since=0)
    return pipeline(status="Stopped", desired="Stopped", storage=status, storage_since=0)


@dataclass(frozen=True)
class StatusPair:
    """A desired and an actual status, with a program's status.

    Attributes:
        desired: the combined `deployment_desired_status`.
        actual: the combined `deployment_status`.
        program: the `program_status`.
    """

    desired: str
    actual: str
    program: str = "Success"

    def __str__(self) -> str:
        return f"{self.desired}/{self.actual}/{self.program}"

    @property
    def pipeline(self) -> Pipeline:
        """A pipeline that has had the three since second 0."""
        return pipeline(
            status=self.actual,
            since=0,
            desired=self.desired,
            desired_since=0,
            program=self.program,
            program_since=0,
        )

    @property
    def problems(self) -> list[str]:
        """The expected problems: of the status itself, of the difference, of the program."""
        found = (
            DECISIONS["deployment_status"][self.actual],
            _DIFFERENCES.get(difference(self.desired, self.actual, self.program)),
            DECISIONS["program_status"][self.program],
        )
        return sorted(each for each in found if isinstance(each, str))

    @property
    def fine(self) -> NoProblem | None:
        """The reason why there is no problem; None where there is one."""
        if self.program != "Success" or not isinstance(
            DECISIONS["deployment_status"][self.actual], NoProblem
        ):
            return None
        if self.desired == self.actual:
            return _ASKED
        return _NO_WISH if self.desired == "Unavailable" and self.actual != "Stopped" else None


_DIFFERENCES: Final[Mapping[Difference | None, str]] = {
    Difference.START_PENDING: "StartPending",
    Difference.DRIFT: "DesiredDrift",
}

PAIRS: Final = (
    *(
        StatusPair(desired, actual)
        for desired in DEPLOYMENT_DESIRED.statuses
        for actual in DEPLOYMENT.statuses
    ),
    *(
        StatusPair(desired, "Stopped", program)
        for desired in ("Running", "Paused")
        for program in PROGRAM.statuses
        if program != "Success"
    ),
)
"""Every desired status against every actual one; and Stopped though to be started, with every status of the program."""
