"""The conditions of a pipeline's problems: pure functions of the pipeline and an instant of Feldera's clock.

A condition returns the periods in which it holds, also future ones. So it is evaluated again only when the pipeline
changes or when a period begins or ends.
"""

import math
from collections.abc import Callable, Collection, Sequence
from operator import attrgetter
from typing import Final

from feldera_exporter.feldera.statuses import DEPLOYMENT, STORAGE, Difference, Dimension
from feldera_exporter.feldera.wire import Row
from feldera_exporter.history.initial import row_error_at
from feldera_exporter.micros import SECOND, Micros, from_datetime, from_seconds
from feldera_exporter.problems.model import Findings, Period, Undecided
from feldera_exporter.state.desired_difference import difference
from feldera_exporter.state.pipeline import Pipeline

Condition = Callable[[Pipeline, Micros], Findings]

HOUR: Final = 3600 * SECOND
_MINUTE: Final = 60 * SECOND

EXPECTED_STOPPED: Final = 10 * _MINUTE
"""How long a pipeline with the tag `expect:running` may be stopped."""

_UNAVAILABLE_WINDOW: Final = 15 * _MINUTE
_UNAVAILABLE_IN_WINDOW: Final = _UNAVAILABLE_WINDOW // 2
_UNAVAILABLE_LIMIT_FACTOR: Final = 1.1
"""A pipeline may be Unavailable for half of the window or for 1.1 times its limit, whichever is longer."""

_REFRESH_OVERDUE: Final = 15 * _MINUTE
"""The runner refreshes a Provisioned pipeline every ten minutes (pipeline-manager `runner/pipeline_automata.rs`)."""

_ERROR_WINDOW: Final = 10 * _MINUTE
_ERROR_WINDOWS: Final = 3
_ERRORS_PER_WINDOW: Final = 60
"""Connector errors in one window that are not a problem yet. One batch of bad records falls into two windows at most."""


def overdue(dimension: Dimension, problem: str) -> Condition:
    """Return the condition that a status whose overdue problem is this one has lasted longer than its limit."""
    status_of = attrgetter(f"facts.row.{dimension.name}")
    since_of = attrgetter(f"facts.row.{dimension.name}_since")
    limit_of = attrgetter(f"facts.limits.{dimension.name}")

    def condition(pipeline: Pipeline, _now: Micros) -> Findings:
        limit = limit_of(pipeline)
        if limit == math.inf:
            return ()
        status = status_of(pipeline)
        since = storage_since(pipeline) if dimension is STORAGE else from_datetime(since_of(pipeline))
        if since is None or dimension.overdue_problem(status) != problem:
            return ()
        return (Period(_after(since, limit), label=status),)

    return condition


def unavailable(pipeline: Pipeline, now: Micros) -> Findings:
    """Unavailable for longer than the limit, or for most of the last 15 minutes."""
    return _UNAVAILABLE(pipeline, now) + _mostly_unavailable(pipeline, now)


def differs(kind: Difference) -> Condition:
    """Return the condition that desired and actual status have differed in this way for longer than the limit."""

    def condition(pipeline: Pipeline, _now: Micros) -> Findings:
        row, limit = pipeline.facts.row, pipeline.facts.limits.deployment_desired_status
        if limit == math.inf:
            return ()
        if difference(row.deployment_desired_status, row.deployment_status, row.program_status) is not kind:
            return ()
        return (
            Period(_after(differs_since(row, kind), limit), label=pipeline.facts.shown.deployment_status),
        )

    return condition


def unexpectedly_stopped(pipeline: Pipeline, _now: Micros) -> Findings:
    """Stopped for ten minutes, with the desired status Stopped and the tag `expect:running`."""
    row = pipeline.facts.row
    if row.deployment_status != "Stopped" or row.deployment_desired_status != "Stopped":
        return ()
    if ("expect", "running") not in pipeline.facts.tag_labels:
        return ()
    stopped = max(
        from_datetime(row.deployment_status_since), from_datetime(row.deployment_desired_status_since)
    )
    return (Period(stopped + EXPECTED_STOPPED, label="Stopped"),)


def deployment_error(pipeline: Pipeline, now: Micros) -> Findings:
    """A deployment error is set, or two errors appeared within ten minutes (each start dismisses the error before)."""
    repeated = counted(pipeline.history.recent.errors, 2, 10 * _MINUTE)
    if pipeline.facts.row.deployment_error is None:
        return repeated
    at = error_at(pipeline)
    # A set error counts at once, also where the clock that dates it is ahead of the clock of the API.
    return (Period(min(at, now), continues=at > now), *repeated)


def crash_looping(pipeline: Pipeline, _now: Micros) -> Findings:
    """Three deployment errors within an hour, or three restarts of the process by itself."""
    recent = pipeline.history.recent
    return counted(recent.errors, 3, HOUR) + counted(recent.restarts, 3, HOUR)


def hourly(activity: str, count: int) -> Condition:
    """Return the condition that one kind of `RecentActivity` happened at least so many times within an hour."""
    instants_of = attrgetter(f"history.recent.{activity}")
    return lambda pipeline, _now: counted(instants_of(pipeline), count, HOUR)


def runner_frozen(pipeline: Pipeline, _now: Micros) -> Findings:
    """Provisioned, and not refreshed by the runner for 15 minutes."""
    row, activity = pipeline.facts.row, pipeline.activity
    if row.deployment_resources_status != "Provisioned" or pipeline.progress.refresh_version is None:
        return ()
    begin = (
        max(activity.refreshed_at, from_datetime(row.deployment_resources_status_since)) + _REFRESH_OVERDUE
    )
    if activity.seen_refreshing:
        return (Period(begin),)
    # The refresh before the exporter's first poll is not known.
    return (Undecided(begin), Period(begin, continues=True))


def connector_errors(pipeline: Pipeline, _now: Micros) -> Findings:
    """More than 60 connector errors in each of the three ten-minute windows before the last error; ends ten minutes after it."""
    activity = pipeline.activity
    if pipeline.progress.connector_errors is None:
        return ()
    last = activity.errors[-1][0] if activity.errors else activity.since
    for window in range(_ERROR_WINDOWS):
        end = last - window * _ERROR_WINDOW
        if end - activity.since < _ERROR_WINDOW:
            return (Undecided(last + _ERROR_WINDOW),)
        if activity.errors_between(end - _ERROR_WINDOW, end) <= _ERRORS_PER_WINDOW:
            return ()
    return (Period(last, last + _ERROR_WINDOW, continues=True),)


def program_in(statuses: Collection[str], minutes: int) -> Condition:
    """Return the condition that the program has had one of these statuses for so many minutes."""

    def condition(pipeline: Pipeline, _now: Micros) -> Findings:
        row = pipeline.facts.row
        if row.program_status not in statuses:
            return ()
        begin = from_datetime(row.program_status_since) + minutes * _MINUTE
        return (Period(begin, label=row.program_status),)

    return condition


_STUCK: Final = frozenset({"Provisioning", "Initializing", "Stopping"})


def failing(pipeline: Pipeline, now: Micros) -> Findings:
    """Counts toward FleetDegraded: a deployment error of the last hour, stuck in a start or stop, Unavailable for two minutes."""
    row, limit = pipeline.facts.row, pipeline.facts.limits.deployment_status
    found: Findings = ()
    if row.deployment_error is not None:
        at = error_at(pipeline)
        found = (Period(min(at, now), at + HOUR),)
    if row.deployment_status in _STUCK and limit != math.inf:
        found = (*found, Period(_after(from_datetime(row.deployment_status_since), limit)))
    if row.deployment_status == "Unavailable":
        found = (*found, Period(from_datetime(row.deployment_status_since) + 2 * _MINUTE))
    return found


def counted(instants: Sequence[Micros], count: int, window: Micros) -> Findings:
    """Return the periods in which an event happened at least `count` times within the window.

    A period may end before it begins. Such a period never holds.
    """
    if len(instants) < count:
        return ()
    periods: list[tuple[Micros, Micros]] = []
    for latest, oldest in zip(instants[count - 1 :], instants, strict=False):
        begin = periods.pop()[0] if periods and latest < periods[-1][1] else latest
        periods.append((begin, oldest + window))
    return tuple(Period(begin, end, continues=True) for begin, end in periods)


def error_at(pipeline: Pipeline) -> Micros:
    """Return when the present deployment error appeared."""
    known = pipeline.history.errors.at
    # While the event log has not been read, the row decides.
    return row_error_at(pipeline.facts.row) if known is None else known


def differs_since(row: Row, kind: Difference | None) -> Micros:
    """Return when desired and actual status began to differ in this way: with the latest of the changes that led to it."""
    changes = [row.deployment_desired_status_since, row.deployment_status_since]
    if kind is Difference.START_PENDING:
        changes.append(row.program_status_since)
    return from_datetime(max(changes))


def storage_since(pipeline: Pipeline) -> Micros | None:
    """Return when the present storage status began; None until the event log has been read that far."""
    history = pipeline.history
    read = history.statuses.storage == pipeline.facts.row.storage_status
    return history.since.storage if read else None


def _after(since: Micros, seconds: float) -> Micros:
    return since + from_seconds(seconds)


_UNAVAILABLE: Final = overdue(DEPLOYMENT, "Unavailable")


def _mostly_unavailable(pipeline: Pipeline, now: Micros) -> Findings:
    """Unavailable for most of the last 15 minutes, with at least one return in between."""
    ended_absences, status_time = pipeline.history.recent.absences, pipeline.history.status_time
    if not ended_absences:
        return ()
    row = pipeline.facts.row
    window_start = now - _UNAVAILABLE_WINDOW
    is_unavailable = row.deployment_status == "Unavailable"
    absences = [*ended_absences]
    if status_time.status == "Unavailable":
        # The event log may lag behind the row: then the row says when this absence ended.
        absences.append(
            (status_time.since, now if is_unavailable else from_datetime(row.deployment_status_since))
        )
    total = sum(max(0, min(until, now) - max(since, window_start)) for since, until in absences)
    is_stopped = row.deployment_status in {"Stopping", "Stopped"}
    limit = math.inf if is_stopped else pipeline.facts.limits.unavailable
    allowed = max(_UNAVAILABLE_IN_WINDOW, _UNAVAILABLE_LIMIT_FACTOR * limit * SECOND)
    if total > allowed:
        # It ends when the old absences leave the window, so it is evaluated again with each list.
        return (Period(now, now + 1, "Unavailable", continues=True),)
    if not is_unavailable or not math.isfinite(allowed):
        return ()
    return (Period(now + round(allowed) - total + 1, label="Unavailable"),)
