"""The alerts that a pipeline's present state and what it did lately make fire, told without a Prometheus.

Connector errors and a frozen runner are not among them: only Prometheus remembers enough for these.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from feldera_exporter.config import AlertChoice
from feldera_exporter.feldera.vocabulary import PROGRAM, Kind
from feldera_exporter.feldera.wire import micros
from feldera_exporter.fleet.drift import Difference, difference
from feldera_exporter.fleet.lately import KEPT, Deeds, Steps, within
from feldera_exporter.fleet.pipeline import Pipeline
from feldera_exporter.rules.table import ALERTS

_SECOND: Final = 1_000_000
_SEVERITIES: Final = MappingProxyType({alert.name: alert.severity for alert in ALERTS})
_YIELDS_TO: Final = MappingProxyType({alert.name: alert.yields_to for alert in ALERTS if alert.yields_to})

_OVERDUE: Final = MappingProxyType(
    {
        "Provisioning": "FelderaPipelineStuckProvisioning",
        "Stopping": "FelderaPipelineStuckStopping",
        "Initializing": "FelderaPipelineStuckInitializing",
        "Unavailable": "FelderaPipelineUnavailable",
        "AwaitingApproval": "FelderaPipelineAwaitingApproval",
        "Bootstrapping": "FelderaPipelineBootstrappingLong",
        "ConcurrentBootstrapping": "FelderaPipelineBootstrappingLong",
        "Replaying": "FelderaPipelineReplayingLong",
        "Synchronizing": "FelderaPipelineStuckSynchronizing",
        "Suspended": "FelderaPipelineImpossibleState",
        "Coordination": "FelderaPipelineImpossibleState",
    }
)
"""By combined status, the alert when it outlasts its limit; any other status has `FelderaPipelineStuck`."""

_UNEXPECTED: Final = 600.0
_UNCOMPILED: Final = MappingProxyType(
    {
        "SqlError": ("FelderaPipelineCompileFailed", 300.0),
        "RustError": ("FelderaPipelineCompileFailed", 300.0),
        "SystemError": ("FelderaPipelineCompileSystemError", 60.0),
    }
)
"""By program status, the alert and after how many seconds: the ages that the rules name."""


@dataclass(frozen=True, slots=True)
class Often:
    """When what a pipeline did lately is too much.

    Attributes:
        alert: the name of the alert.
        counted: what is counted.
        seconds: within how many seconds.
        most: how much is well yet, in the unit of the rules.
    """

    alert: str
    counted: Callable[[Deeds], float]
    seconds: float
    most: float


_AWAY: Final = Often("FelderaPipelineUnavailable", lambda done: done.unavailable / _SECOND, 900, 450)

OFTEN: Final = (
    Often("FelderaPipelineDeploymentError", lambda done: done.errors, 600, 1.5),
    Often("FelderaPipelineCrashLooping", lambda done: done.errors, KEPT, 2.5),
    # On Kubernetes a crashed process comes back by itself: what no start explains.
    Often("FelderaPipelineCrashLooping", lambda done: done.initializations - done.starts, KEPT, 2.5),
    Often("FelderaPipelineFlapping", lambda done: done.stops, KEPT, 5.5),
    Often("FelderaPipelineRuntimeFlapping", lambda done: done.losses, KEPT, 7.5),
    _AWAY,
    Often("FelderaPipelineCompileLooping", lambda done: done.recompilations, KEPT, 2.5),
)
"""What happens too often, as `rules/faults.py`, `rules/lifecycle.py` and `rules/compilation.py` say it."""

Choices = Mapping[str, AlertChoice]
"""What the configuration says of alerts, by name."""


@dataclass(frozen=True, slots=True, order=True)
class Alert:
    """One firing alert.

    Attributes:
        name: the alert's.
        severity: `critical`, `warning`, `info` or `none`.
        pipeline: the id of the pipeline that it is about, empty if about none.
    """

    name: str
    severity: str = ""
    pipeline: str = ""


def firing(pipeline: Pipeline, steps: Steps, choices: Choices, now: int) -> tuple[Alert, ...]:
    """Return the alerts that a pipeline makes fire, with the severities that the configuration chose.

    Args:
        pipeline: as it is known.
        steps: what it did lately.
        choices: what the configuration says of alerts.
        now: microseconds since the epoch by Feldera's clock.
    """
    row = pipeline.facts.row
    tier = dict(pipeline.facts.tag_labels).get("tier", "")
    found = []
    # What the state fires may have happened often, too: that is one alert.
    told = {
        name: choice
        for name in (*_by_state(pipeline, now), *_by_count(pipeline, steps, now))
        if (choice := choices.get(name, AlertChoice())).enabled
    }
    for name, choice in told.items():
        critical = name == "FelderaPipelineDeploymentError" and tier == "critical"
        if _YIELDS_TO.get(name) not in told:
            severity = choice.severity or ("critical" if critical else _SEVERITIES[name])
            found.append(Alert(name, severity, row.id))
    return tuple(found)


def _by_count(pipeline: Pipeline, steps: Steps, now: int) -> Iterator[str]:
    if not steps and pipeline.history.spent.status != "Unavailable":
        return
    for often in OFTEN:
        done = _done(pipeline, steps, often.seconds, now)
        if often.counted(done) > max(often.most, _tolerated(pipeline) if often is _AWAY else 0):
            yield often.alert


def _tolerated(pipeline: Pipeline) -> float:
    """Return for how long of a quarter of an hour a pipeline may be Unavailable by its own limit: as long as it likes once stopped."""
    if pipeline.facts.row.deployment_status in {"Stopping", "Stopped"}:
        return math.inf
    return 1.1 * pipeline.facts.limits.unavailable


def _done(pipeline: Pipeline, steps: Steps, seconds: float, now: int) -> Deeds:
    """Return what a pipeline did in the last seconds, with what goes on."""
    done, spent = within(steps, seconds, now), pipeline.history.spent
    if spent.status != "Unavailable":
        return done
    present = min(max(0, now - spent.since), round(seconds * _SECOND))
    return done._replace(unavailable=done.unavailable + present)


def _by_state(pipeline: Pipeline, now: int) -> Iterator[str]:
    """Yield names of `rules.table`; the conditions are those of `rules/lifecycle.py` and `rules/compilation.py`."""
    row, limits = pipeline.facts.row, pipeline.facts.limits
    status, program = row.deployment_status, row.program_status
    status_age = (now - micros(row.deployment_status_since)) / _SECOND
    program_age = (now - micros(row.program_status_since)) / _SECOND
    if row.deployment_error is not None:
        yield "FelderaPipelineDeploymentError"
    if status_age > limits.deployment_status:
        yield _OVERDUE.get(status, "FelderaPipelineStuck")
    expected = dict(pipeline.facts.tag_labels).get("expect") == "running"
    if expected and status == "Stopped" and status_age > _UNEXPECTED:
        yield "FelderaPipelineUnexpectedlyStopped"
    yield from _drifting(pipeline, status_age, program_age, now)
    if program in _UNCOMPILED:
        name, after = _UNCOMPILED[program]
        if program_age > after:
            yield name
    elif PROGRAM.statuses.get(program) is Kind.TRANSIENT and program_age > limits.program_status:
        yield "FelderaPipelineCompileStuck"
    storage = pipeline.history.since.storage
    storage_age = (now - storage) / _SECOND if storage is not None else 0
    if row.storage_status == "Clearing" and storage_age > limits.storage_status:
        yield "FelderaPipelineStorageClearingStuck"


def _drifting(pipeline: Pipeline, status_age: float, program_age: float, now: int) -> Iterator[str]:
    row, limit = pipeline.facts.row, pipeline.facts.limits.deployment_desired_status
    desired, actual = row.deployment_desired_status, row.deployment_status
    desired_age = (now - micros(row.deployment_desired_status_since)) / _SECOND
    if min(desired_age, status_age) <= limit:
        return
    differs = difference(desired, actual, row.program_status)
    if differs is Difference.START_PENDING:
        if program_age > limit:
            yield "FelderaPipelineStartPending"
    elif differs is Difference.DRIFT:
        yield "FelderaPipelineDesiredDrift"
