"""The matrix: every status of every dimension, held for twelve hours, and the alert that it raises or why none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from feldera_exporter.feldera.vocabulary import DEPLOYMENT, DEPLOYMENT_DESIRED, PROGRAM
from feldera_exporter.fleet.drift import Difference, difference
from rules.facts import Pipeline, fleet
from rules.scenarios import BY_NAME, Firing, Scenario
from rules.world import View, crowd

HELD: Final = 12 * 3600
"""Seconds for which every status lasts."""

SEEN: Final = 3600
"""Seconds for which each pair of statuses is looked at, after it has lasted as long."""

STEP: Final = 180
"""Seconds between evaluations: the longest that the rules read over."""


@dataclass(frozen=True)
class Fine:
    """A status that nobody need be told of.

    Attributes:
        reason: why.
    """

    reason: str


Decision = str | Fine
"""The alert that a status raises when it lasts, or why it is fine."""

_ASKED: Final = Fine("what was asked for is what is")
_STEADY: Final = Fine("a pipeline may be in it for ever, as somebody asked")

_NO_WISH: Final = Fine("the runner writes it over the desired status when a pipeline does not answer")

_RUNTIME: Final[Mapping[str, Decision]] = {
    "Initializing": "FelderaPipelineStuckInitializing",
    "AwaitingApproval": "FelderaPipelineAwaitingApproval",
    "Bootstrapping": "FelderaPipelineBootstrappingLong",
    "ConcurrentBootstrapping": "FelderaPipelineBootstrappingLong",
    "Synchronizing": "FelderaPipelineStuckSynchronizing",
    "Replaying": "FelderaPipelineReplayingLong",
    "Standby": _STEADY,
    "Paused": _STEADY,
    "Running": _STEADY,
    "Suspended": "FelderaPipelineImpossibleState",
    "Coordination": "FelderaPipelineImpossibleState",
    "Unavailable": "FelderaPipelineUnavailable",
}

_DRIFT: Final = "FelderaPipelineDesiredDrift"

DECISIONS: Final[Mapping[str, Mapping[str, Decision]]] = {
    "deployment_status": {
        **_RUNTIME,
        "Stopped": _STEADY,
        "Provisioning": "FelderaPipelineStuckProvisioning",
        "Stopping": "FelderaPipelineStuckStopping",
    },
    "deployment_resources_status": {
        "Stopped": _STEADY,
        "Provisioning": "FelderaPipelineStuckProvisioning",
        "Provisioned": _STEADY,
        "Stopping": "FelderaPipelineStuckStopping",
    },
    "deployment_runtime_status": _RUNTIME,
    "deployment_desired_status": {
        "Stopped": _DRIFT,
        "Standby": _DRIFT,
        "Paused": _DRIFT,
        "Running": _ASKED,
        "Suspended": _DRIFT,
        "Unavailable": _NO_WISH,
    },
    "deployment_resources_desired_status": {"Stopped": _DRIFT, "Provisioned": _ASKED},
    "deployment_runtime_desired_status": {
        "Standby": _DRIFT,
        "Paused": _DRIFT,
        "Running": _ASKED,
        "Suspended": _DRIFT,
        "Unavailable": _NO_WISH,
        "Coordination": Fine("Feldera's API fails on it for the whole list, and FelderaApiUnreachable tells"),
    },
    "program_status": {
        "Pending": "FelderaPipelineCompileStuck",
        "CompilingSql": "FelderaPipelineCompileStuck",
        "SqlCompiled": "FelderaPipelineCompileStuck",
        "CompilingRust": "FelderaPipelineCompileStuck",
        "Success": _STEADY,
        "SqlError": "FelderaPipelineCompileFailed",
        "RustError": "FelderaPipelineCompileFailed",
        "SystemError": "FelderaPipelineCompileSystemError",
    },
    "storage_status": {
        "Cleared": _STEADY,
        "InUse": _STEADY,
        "Clearing": "FelderaPipelineStorageClearingStuck",
    },
}
"""By dimension and status; the desired ones are held against a pipeline that runs."""


def held(dimension: str, status: str) -> Pipeline:
    """Return a pipeline that has had a status since the beginning of time."""
    if dimension in {"deployment_status", "deployment_resources_status", "deployment_runtime_status"}:
        actual = "Running" if status == "Provisioned" else status
        own = actual in {"Stopped", "Standby", "Paused", "Unavailable", "Suspended"}
        wanted = "Stopped" if actual == "Stopping" else actual if own else "Running"
        return Pipeline(status=actual, since=0, desired=wanted, desired_since=0)
    if dimension.endswith("desired_status"):
        wanted = "Running" if status in {"Provisioned", "Coordination"} else status
        return Pipeline(desired=wanted, since=0, desired_since=0)
    if dimension == "program_status":
        return Pipeline(status="Stopped", desired="Stopped", program=status, program_since=0)
    return Pipeline(status="Stopped", desired="Stopped", storage=status, storage_since=0)


@dataclass(frozen=True)
class Pair:
    """A desired and an actual status, with a program's status.

    Attributes:
        desired: the combined `deployment_desired_status`.
        actual: the combined `deployment_status`.
        program: the `program_status`.
    """

    desired: str
    actual: str
    program: str = "Success"

    @property
    def pipeline(self) -> Pipeline:
        """A pipeline that has had the three for long."""
        return Pipeline(
            status=self.actual,
            since=-HELD,
            desired=self.desired,
            desired_since=-HELD,
            program=self.program,
            program_since=-HELD,
        )

    @property
    def alerts(self) -> tuple[str, ...]:
        """Those that must fire: about the status itself, about the difference as the exporter sees it, about the program."""
        found = (
            DECISIONS["deployment_status"][self.actual],
            _DIFFERENCES.get(difference(self.desired, self.actual, self.program)),
            DECISIONS["program_status"][self.program],
        )
        return tuple(alert for alert in found if isinstance(alert, str))

    @property
    def fine(self) -> Fine | None:
        """Why nobody need be told; None where somebody is."""
        if self.program != "Success":
            return None
        if self.desired == self.actual and DECISIONS["deployment_status"][self.actual] is _STEADY:
            return _ASKED
        unasked = self.desired == "Unavailable" and self.actual != "Stopped"
        return _NO_WISH if unasked and DECISIONS["deployment_status"][self.actual] is _STEADY else None


_DIFFERENCES: Final[Mapping[Difference | None, str]] = {
    Difference.START_PENDING: "FelderaPipelineStartPending",
    Difference.DRIFT: _DRIFT,
}

PAIRS: Final = (
    *(Pair(desired, actual) for desired in DEPLOYMENT_DESIRED.statuses for actual in DEPLOYMENT.statuses),
    *(
        Pair(desired, "Stopped", program)
        for desired in ("Running", "Paused")
        for program in PROGRAM.statuses
        if program != "Success"
    ),
)
"""Every desired status against every actual one; and Stopped though to be started, with every status of the program."""


def pairs() -> Scenario:
    """Return the pairs as one scenario, each an instance of its own."""
    cells = {f"{pair.desired}/{pair.actual}/{pair.program}": pair for pair in PAIRS}
    views = {cell: _view(pair.pipeline) for cell, pair in cells.items()}
    firing = (
        _fired(alert, pair.pipeline, f"program_status/{cell}" if "Compile" in alert else cell, cell)
        for cell, pair in cells.items()
        for alert in pair.alerts
    )
    return Scenario("every desired status against every actual one", (crowd(views),), {SEEN: tuple(firing)})


def matrix() -> Scenario:
    """Return the matrix as one scenario, every cell an instance of its own."""
    cells = {
        f"{dimension}/{status}": (held(dimension, status), decision)
        for dimension, decisions in DECISIONS.items()
        for status, decision in decisions.items()
    }
    views = {cell: _view(pipeline) for cell, (pipeline, _) in cells.items()}
    firing = (
        _fired(alert, pipeline, cell, cell)
        for cell, (pipeline, alert) in cells.items()
        if isinstance(alert, str)
    )
    return Scenario("every status held for twelve hours", (crowd(views),), {HELD: tuple(firing)})


def _view(pipeline: Pipeline) -> View:
    held = fleet(pipeline)
    return lambda _: held


def _fired(name: str, pipeline: Pipeline, dimension: str, cell: str) -> Firing:
    alert = BY_NAME[name]
    shown = {
        "program_status": pipeline.program,
        "storage_status": pipeline.storage,
    }.get(dimension.partition("/")[0], pipeline.status)
    labels = {
        "severity": alert.severity,
        "feldera_instance": cell,
        "pipeline": "pipeline-etl",
        "pipeline_name": "etl",
        "team": "data",
        "tier": "gold",
    }
    return name, labels | ({"status": shown} if "status" in alert.by else {})
