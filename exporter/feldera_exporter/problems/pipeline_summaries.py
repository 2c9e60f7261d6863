"""The summaries of pipelines for the pages: statuses, how long they have lasted, alerts and urgency; the most urgent first."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from feldera_exporter.feldera.statuses import DEPLOYMENT, PROGRAM, Kind
from feldera_exporter.micros import SECOND, Micros, from_datetime
from feldera_exporter.problems.alerts import PresentAlert
from feldera_exporter.problems.conditions import differs_since, storage_since
from feldera_exporter.state.desired_difference import difference
from feldera_exporter.state.pipeline import Pipeline

_SEVERITIES = {"critical": 3, "warning": 2, "info": 1}
"""The order of severities; any other severity counts as 0."""


class Urgency(IntEnum):
    """How urgent a pipeline's state is."""

    WELL = 0
    MOVING = 1
    WRONG = 2
    CRITICAL = 3


@dataclass(frozen=True, slots=True)
class StatusAge:
    """How long a status has lasted.

    Attributes:
        status: the status; `to be …` for the time in which desired and actual status differ.
        age: seconds that it has lasted.
        limit: seconds that it may last; infinity where there is no limit.
    """

    status: str
    age: float
    limit: float

    @property
    def share(self) -> float:
        """The part of the limit that has passed; from 1 on the status is overdue."""
        return self.age / self.limit if self.limit else math.inf


@dataclass(frozen=True, slots=True)
class PipelineSummary:
    """The summary of one pipeline.

    Attributes:
        wait: the status that has used most of its limit; where none has a limit the program's that compiles, else the
            deployment's.
        error_code: the code of the present deployment error; empty without one.
        alerts: the firing alerts of the pipeline, the most severe first.
    """

    id: str
    name: str
    status: str
    desired: str
    program: str
    storage: str
    wait: StatusAge
    error_code: str
    alerts: tuple[PresentAlert, ...]
    level: Urgency


def lines(
    pipelines: Mapping[str, Pipeline], alerts: Iterable[PresentAlert], now: Micros
) -> tuple[PipelineSummary, ...]:
    """Return the summaries of all pipelines, the most urgent first."""
    firing: defaultdict[str, list[PresentAlert]] = defaultdict(list)
    for alert in alerts:
        firing[alert.pipeline].append(alert)
    summaries = [
        _summary(pipeline_id, pipeline, tuple(firing[pipeline_id]), now)
        for pipeline_id, pipeline in pipelines.items()
    ]
    return tuple(sorted(summaries, key=urgency))


def urgency(summary: PipelineSummary) -> tuple[float, int, float, str, str]:
    """Return the sort key of a summary: level, severity, seconds left until the limit (negative beyond it), name, id.

    Seconds left, not the share of the limit: so two waiting pipelines never swap as time passes.
    """
    severity = max((_SEVERITIES.get(alert.severity, 0) for alert in summary.alerts), default=0)
    return -summary.level, -severity, summary.wait.limit - summary.wait.age, summary.name, summary.id


def _summary(
    pipeline_id: str, pipeline: Pipeline, alerts: tuple[PresentAlert, ...], now: Micros
) -> PipelineSummary:
    row = pipeline.facts.row
    # A program that compiles without a limit says more than how long the deployment has been Stopped.
    wait = max(
        _status_ages(pipeline, now),
        key=lambda age: (age.share, PROGRAM.statuses.get(age.status) is Kind.TRANSIENT),
    )
    code = row.deployment_error.error_code if row.deployment_error is not None else ""
    return PipelineSummary(
        id=pipeline_id,
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


def _status_ages(pipeline: Pipeline, now: Micros) -> tuple[StatusAge, ...]:
    """Return the ages of the present statuses, the deployment's first; a status without a known beginning is left out."""
    row, limits = pipeline.facts.row, pipeline.facts.limits
    kind = difference(row.deployment_desired_status, row.deployment_status, row.program_status)
    known = (
        (row.deployment_status, from_datetime(row.deployment_status_since), limits.deployment_status),
        (row.program_status, from_datetime(row.program_status_since), limits.program_status),
        (row.storage_status, storage_since(pipeline), limits.storage_status),
        (
            f"to be {row.deployment_desired_status}",
            differs_since(row, kind),
            limits.deployment_desired_status,
        ),
    )
    return tuple(
        StatusAge(name, max(0, now - since) / SECOND, limit)
        for name, since, limit in known
        if since is not None
    )


def _level(pipeline: Pipeline, wait: StatusAge, alerts: tuple[PresentAlert, ...]) -> Urgency:
    row = pipeline.facts.row
    kinds = {DEPLOYMENT.statuses.get(row.deployment_status), PROGRAM.statuses.get(row.program_status)}
    if any(alert.severity == "critical" for alert in alerts):
        return Urgency.CRITICAL
    bad = not kinds.isdisjoint({Kind.BAD, Kind.NEEDS_PERSON, None})
    if alerts or bad or wait.share >= 1 or row.deployment_error is not None:
        return Urgency.WRONG
    return Urgency.MOVING if Kind.TRANSIENT in kinds or wait.share > 0 else Urgency.WELL
