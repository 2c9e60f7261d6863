"""The matrix: every status of every dimension, held for twelve hours, and the alert that it raises or why none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rules.facts import Pipeline, fleet
from rules.scenarios import BY_NAME, Firing, Scenario
from rules.world import View, crowd

HELD: Final = 12 * 3600
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
        "Unavailable": _DRIFT,
    },
    "deployment_resources_desired_status": {"Stopped": _DRIFT, "Provisioned": _ASKED},
    "deployment_runtime_desired_status": {
        "Standby": _DRIFT,
        "Paused": _DRIFT,
        "Running": _ASKED,
        "Suspended": _DRIFT,
        "Unavailable": _DRIFT,
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
        own = actual in {"Stopped", "Standby", "Paused", "Unavailable"}
        wanted = "Stopped" if actual == "Stopping" else actual if own else "Running"
        return Pipeline(status=actual, since=0, desired=wanted, desired_since=0)
    if dimension.endswith("desired_status"):
        wanted = "Running" if status in {"Provisioned", "Coordination"} else status
        return Pipeline(desired=wanted, since=0, desired_since=0)
    if dimension == "program_status":
        return Pipeline(status="Stopped", desired="Stopped", program=status, program_since=0)
    return Pipeline(status="Stopped", desired="Stopped", storage=status, storage_since=0)


def matrix() -> Scenario:
    """Return the matrix as one scenario, every cell an instance of its own."""
    cells = {
        f"{dimension}/{status}": (held(dimension, status), decision)
        for dimension, decisions in DECISIONS.items()
        for status, decision in decisions.items()
    }
    views = {cell: _view(pipeline) for cell, (pipeline, _) in cells.items()}
    firing = (
        _fired(alert, pipeline, cell) for cell, (pipeline, alert) in cells.items() if isinstance(alert, str)
    )
    return Scenario("every status held for twelve hours", (crowd(views),), {HELD: tuple(firing)})


def _view(pipeline: Pipeline) -> View:
    held = fleet(pipeline)
    return lambda _: held


def _fired(name: str, pipeline: Pipeline, cell: str) -> Firing:
    alert = BY_NAME[name]
    shown = {
        "program_status": pipeline.program,
        "storage_status": pipeline.storage,
    }.get(cell.partition("/")[0], pipeline.status)
    labels = {
        "severity": alert.severity,
        "feldera_instance": cell,
        "pipeline": "pipeline-etl",
        "pipeline_name": "etl",
        "team": "data",
        "tier": "gold",
    }
    return name, labels | ({"status": shown} if "status" in alert.by else {})
