"""One line per pipeline: how it is, for how long, and how bad that is; the worst first."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from feldera_exporter.feldera.statuses import DEPLOYMENT, PROGRAM, Kind
from feldera_exporter.feldera.wire import micros
from feldera_exporter.problems.alerts import Alert
from feldera_exporter.problems.conditions import storage_since
from feldera_exporter.state.pipeline import Pipeline

_SECOND = 1_000_000
_SEVERITIES = MappingProxyType({"critical": 3, "warning": 2, "info": 1})
"""By severity, how bad it is; any other says nothing of that."""


class Urgency(IntEnum):
    """How urgent a pipeline's state is."""

    WELL = 0
    MOVING = 1
    WRONG = 2
    CRITICAL = 3


@dataclass(frozen=True, slots=True)
class StatusAge:
    """A present status.

    Attributes:
        status: the status; where the desired and the actual one differ, the desired one.
        age: for how many seconds it has lasted.
        limit: for how many it may last, infinity for ever.
    """

    status: str
    age: float
    limit: float

    @property
    def share(self) -> float:
        """How much of the limit has passed; 1 and more is too long."""
        return self.age / self.limit if self.limit else math.inf


@dataclass(frozen=True, slots=True)
class PipelineSummary:
    """One pipeline as it is shown.

    Attributes:
        id: the UUID.
        name: what people read.
        status: the combined status.
        desired: the combined desired one.
        program: the program's.
        storage: the storage's.
        wait: the status that is nearest to its limit, or the furthest beyond; the combined one where none has a limit.
        error_code: the present deployment error's, empty without one.
        alerts: those that are firing about it, the worst first.
        level: how urgent its state is.
    """

    id: str
    name: str
    status: str
    desired: str
    program: str
    storage: str
    wait: StatusAge
    error_code: str
    alerts: tuple[Alert, ...]
    level: Urgency


def lines(
    pipelines: Mapping[str, Pipeline], alerts: Iterable[Alert], now: int
) -> tuple[PipelineSummary, ...]:
    """Return the lines of all pipelines, the worst first.

    Args:
        pipelines: as they are known, by id.
        alerts: those that are firing.
        now: microseconds since the epoch by Feldera's clock.
    """
    firing: defaultdict[str, list[Alert]] = defaultdict(list)
    for alert in alerts:
        firing[alert.pipeline].append(alert)
    every = [_line(key, pipeline, tuple(firing[key]), now) for key, pipeline in pipelines.items()]
    return tuple(sorted(every, key=urgency))


def urgency(line: PipelineSummary) -> tuple[float, int, float, str, str]:
    """Return by what lines are sorted: level, severity, time left until the limit, which is below zero beyond it, name.

    Two that wait never change places with time: both have a second less after a second.
    """
    severity = max((_SEVERITIES.get(alert.severity, 0) for alert in line.alerts), default=0)
    return -line.level, -severity, line.wait.limit - line.wait.age, line.name, line.id


def _line(key: str, pipeline: Pipeline, alerts: tuple[Alert, ...], now: int) -> PipelineSummary:
    row = pipeline.facts.row
    wait = max(_waits(pipeline, now), key=lambda each: each.share)
    code = row.deployment_error.error_code if row.deployment_error is not None else ""
    return PipelineSummary(
        id=key,
        name=row.name,
        status=row.deployment_status,
        desired=row.deployment_desired_status,
        program=row.program_status,
        storage=row.storage_status,
        wait=wait,
        error_code=code,
        alerts=tuple(sorted(alerts, key=lambda alert: (-_SEVERITIES.get(alert.severity, 0), alert))),
        level=_level(pipeline, wait, alerts),
    )


def _waits(pipeline: Pipeline, now: int) -> tuple[StatusAge, ...]:
    """Return the present statuses, that of the deployment first; what has no known beginning is left out."""
    row, limits = pipeline.facts.row, pipeline.facts.limits
    status, desired = micros(row.deployment_status_since), micros(row.deployment_desired_status_since)
    program, storage = micros(row.program_status_since), storage_since(pipeline)
    known = (
        (row.deployment_status, status, limits.deployment_status),
        (row.program_status, program, limits.program_status),
        (row.storage_status, storage, limits.storage_status),
        # Each of the three may have ended an agreement.
        (
            f"to be {row.deployment_desired_status}",
            max(status, desired, program),
            limits.deployment_desired_status,
        ),
    )
    return tuple(
        StatusAge(name, max(0, now - since) / _SECOND, limit)
        for name, since, limit in known
        if since is not None
    )


def _level(pipeline: Pipeline, wait: StatusAge, alerts: tuple[Alert, ...]) -> Urgency:
    row = pipeline.facts.row
    kinds = {DEPLOYMENT.statuses.get(row.deployment_status), PROGRAM.statuses.get(row.program_status)}
    if any(alert.severity == "critical" for alert in alerts):
        return Urgency.CRITICAL
    bad = not kinds.isdisjoint({Kind.BAD, Kind.NEEDS_PERSON, None})
    if alerts or bad or wait.share >= 1 or row.deployment_error is not None:
        return Urgency.WRONG
    return Urgency.MOVING if Kind.TRANSIENT in kinds or wait.share > 0 else Urgency.WELL
