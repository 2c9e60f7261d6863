"""The conditions of a pipeline's problems: pure functions of the pipeline and an instant of Feldera's clock.

All instants are microseconds. A condition says from when to when it holds, also ahead: so it need not be asked again
before something happens to the pipeline or that time has come.
"""

import math
from collections.abc import Callable, Collection, Sequence
from operator import attrgetter
from typing import Final

from feldera_exporter.feldera.statuses import DEPLOYMENT, PROGRAM, STORAGE, Difference, Dimension
from feldera_exporter.feldera.wire import Row, micros
from feldera_exporter.problems.model import MICROSECONDS, Finding, Period, Undecided
from feldera_exporter.state.desired_difference import difference
from feldera_exporter.state.pipeline import Pipeline

Findings = tuple[Finding, ...]
Condition = Callable[[Pipeline, int], Findings]

_NOTHING: Final[Findings] = ()

HOUR: Final = 3600 * MICROSECONDS
_MINUTE: Final = 60 * MICROSECONDS

EXPECTED_STOPPED: Final = 10 * _MINUTE
"""For how long a pipeline that should always run may be stopped."""

_ABSENCE_WINDOW: Final = 15 * _MINUTE
_ABSENCE: Final = _ABSENCE_WINDOW // 2
_ABSENCE_LIMITS: Final = 1.1
"""Of a quarter of an hour a pipeline may be Unavailable for half, and for a tenth more than its limit."""

_FROZEN: Final = 15 * _MINUTE
"""A Provisioned pipeline is refreshed every ten minutes (pipeline-manager `runner/pipeline_automata.rs`)."""

_ERROR_WINDOW: Final = 10 * _MINUTE
_ERROR_WINDOWS: Final = 3
_ERRORS_PER_WINDOW: Final = 60
"""Connector errors in each of three windows, 0.1 a second: one batch of bad records touches two of them at most."""


def overdue(dimension: Dimension, problem: str) -> Condition:
    """Return the condition that a status has outlasted its limit, for the statuses of which that is the problem."""
    since_of, limit_of = _READERS[dimension.name]
    status_of = attrgetter(f"facts.row.{dimension.name}")

    def condition(pipeline: Pipeline, _now: int) -> Findings:
        limit = limit_of(pipeline)
        if limit == math.inf:
            return _NOTHING
        status = status_of(pipeline)
        since = since_of(pipeline)
        if since is None or dimension.overdue_problem(status) != problem:
            return _NOTHING
        return (Period(_after(since, limit), label=status),)

    return condition


def unavailable(pipeline: Pipeline, now: int) -> Findings:
    """Unavailable for longer than the limit, or for most of the last 15 minutes."""
    return _UNAVAILABLE(pipeline, now) + _mostly_unavailable(pipeline, now)


def start_pending(pipeline: Pipeline, _now: int) -> Findings:
    """Stopped, compiled and asked to start, and nothing happens for longer than the limit."""
    return _differs(pipeline, Difference.START_PENDING)


def drift(pipeline: Pipeline, _now: int) -> Findings:
    """Another status is desired for longer than the limit, and the pipeline is not on the way to it."""
    return _differs(pipeline, Difference.DRIFT)


def unexpectedly_stopped(pipeline: Pipeline, _now: int) -> Findings:
    """Stopped, desired so, and tagged as one that should always run."""
    row = pipeline.facts.row
    if row.deployment_status != "Stopped" or row.deployment_desired_status != "Stopped":
        return _NOTHING
    if ("expect", "running") not in pipeline.facts.tag_labels:
        return _NOTHING
    stopped = max(micros(row.deployment_status_since), micros(row.deployment_desired_status_since))
    return (Period(stopped + EXPECTED_STOPPED, label="Stopped"),)


def deployment_error(pipeline: Pipeline, _now: int) -> Findings:
    """A deployment error is set, or two appeared within ten minutes: each start dismisses the one before."""
    again = counted(pipeline.history.recent.errors, 2, 10 * _MINUTE)
    if pipeline.facts.row.deployment_error is None:
        return again
    return (Period(error_at(pipeline)), *again)


def crash_looping(pipeline: Pipeline, _now: int) -> Findings:
    """Three errors within an hour, or three restarts of the process that no start explains."""
    recent = pipeline.history.recent
    return counted(recent.errors, 3, HOUR) + counted(recent.restarts, 3, HOUR)


def flapping(pipeline: Pipeline, _now: int) -> Findings:
    """Stopped six times within an hour."""
    return counted(pipeline.history.recent.stops, 6, HOUR)


def runtime_flapping(pipeline: Pipeline, _now: int) -> Findings:
    """Became Unavailable eight times within an hour."""
    return counted(pipeline.history.recent.losses, 8, HOUR)


def compile_looping(pipeline: Pipeline, _now: int) -> Findings:
    """Went back from CompilingRust to SqlCompiled three times within an hour."""
    return counted(pipeline.history.recent.recompilations, 3, HOUR)


def runner_frozen(pipeline: Pipeline, _now: int) -> Findings:
    """Provisioned and not refreshed for 15 minutes."""
    row, activity = pipeline.facts.row, pipeline.activity
    if row.deployment_resources_status != "Provisioned" or pipeline.progress.refresh_version is None:
        return _NOTHING
    begin = max(activity.refreshed_at, micros(row.deployment_resources_status_since)) + _FROZEN
    if activity.seen_refreshing:
        return (Period(begin),)
    # How long it stood still before it was first seen is not known.
    return (Undecided(begin), Period(begin, continues=True))


def connector_errors(pipeline: Pipeline, _now: int) -> Findings:
    """More than 60 errors of connectors in each of the three ten minutes up to the last one, and that is not long ago."""
    activity = pipeline.activity
    if pipeline.progress.connector_errors is None:
        return _NOTHING
    last = activity.errors[-1][0] if activity.errors else activity.since
    for window in range(_ERROR_WINDOWS):
        end = last - window * _ERROR_WINDOW
        if end - activity.since < _ERROR_WINDOW:
            return (Undecided(last + _ERROR_WINDOW),)
        if activity.errors_between(end - _ERROR_WINDOW, end) <= _ERRORS_PER_WINDOW:
            return _NOTHING
    return (Period(last, last + _ERROR_WINDOW, continues=True),)


def compile_failed(pipeline: Pipeline, _now: int) -> Findings:
    """The program has had an error of its own for five minutes."""
    return _program(pipeline, ("SqlError", "RustError"), 5 * _MINUTE)


def compile_system_error(pipeline: Pipeline, _now: int) -> Findings:
    """The compiler has failed for a minute."""
    return _program(pipeline, ("SystemError",), _MINUTE)


_STUCK: Final = frozenset({"Provisioning", "Initializing", "Stopping"})


def failing(pipeline: Pipeline, _now: int) -> Findings:
    """What counts toward a degraded fleet: an error of the last hour, stuck on the way up or down, not there for two minutes."""
    row, limit = pipeline.facts.row, pipeline.facts.limits.deployment_status
    found = _NOTHING
    if row.deployment_error is not None:
        at = error_at(pipeline)
        found = (Period(at, at + HOUR),)
    if row.deployment_status in _STUCK and limit != math.inf:
        found = (*found, Period(_after(micros(row.deployment_status_since), limit)))
    if row.deployment_status == "Unavailable":
        found = (*found, Period(micros(row.deployment_status_since) + 2 * _MINUTE))
    return found


def counted(instants: Sequence[int], count: int, window: int) -> Findings:
    """Return the periods in which something had happened `count` times within a time, in microseconds.

    One that would end before it begins never holds.
    """
    if len(instants) < count:
        return _NOTHING
    periods: list[tuple[int, int]] = []
    for latest, oldest in zip(instants[count - 1 :], instants, strict=False):
        begin = periods.pop()[0] if periods and latest < periods[-1][1] else latest
        periods.append((begin, oldest + window))
    return tuple(Period(begin, end, continues=True) for begin, end in periods)


def error_at(pipeline: Pipeline) -> int:
    """Return when the present deployment error appeared."""
    row, known = pipeline.facts.row, pipeline.history.errors.at
    if known is not None:
        return known
    # As far as a row can tell: Stopping begins in the same transaction; a later Stopped keeps the error, but the desired
    # status became Stopped with it (pipeline-manager `db/storage_postgres.rs`).
    if row.deployment_resources_status == "Stopping":
        return micros(row.deployment_resources_status_since)
    return micros(row.deployment_resources_desired_status_since)


def storage_since(pipeline: Pipeline) -> int | None:
    """Return when the present storage status began; None where the log, which alone tells, was not read that far yet."""
    history = pipeline.history
    read = history.statuses.storage == pipeline.facts.row.storage_status
    return history.since.storage if read else None


def _after(since: int, seconds: float) -> int:
    return since + round(seconds * MICROSECONDS)


def _deployment_since(pipeline: Pipeline) -> int | None:
    return micros(pipeline.facts.row.deployment_status_since)


def _program_since(pipeline: Pipeline) -> int | None:
    return micros(pipeline.facts.row.program_status_since)


_READERS: Final = {
    DEPLOYMENT.name: (_deployment_since, attrgetter("facts.limits.deployment_status")),
    PROGRAM.name: (_program_since, attrgetter("facts.limits.program_status")),
    STORAGE.name: (storage_since, attrgetter("facts.limits.storage_status")),
}
"""By dimension, when the present status began and its limit in seconds."""

_UNAVAILABLE: Final = overdue(DEPLOYMENT, "Unavailable")


def _mostly_unavailable(pipeline: Pipeline, now: int) -> Findings:
    absences, spent, row = pipeline.history.recent.absences, pipeline.history.status_time, pipeline.facts.row
    if not absences:
        return _NOTHING
    start = now - _ABSENCE_WINDOW
    away = row.deployment_status == "Unavailable"
    every = [*absences]
    if spent.status == "Unavailable":
        # The log may not have been read yet up to where that ended.
        every.append((spent.since, now if away else micros(row.deployment_status_since)))
    total = sum(max(0, min(until, now) - max(since, start)) for since, until in every)
    stopped = row.deployment_status in {"Stopping", "Stopped"}
    limit = math.inf if stopped else pipeline.facts.limits.unavailable
    most = max(_ABSENCE, _ABSENCE_LIMITS * limit * MICROSECONDS)
    if total > most:
        # It ends as what is long ago leaves the window: asked again each time.
        return (Period(now, now + 1, "Unavailable", continues=True),)
    if not away or not math.isfinite(most):
        return _NOTHING
    return (Period(now + round(most) - total + 1, label="Unavailable"),)


def _differs(pipeline: Pipeline, kind: Difference) -> Findings:
    row, limit = pipeline.facts.row, pipeline.facts.limits.deployment_desired_status
    if limit == math.inf:
        return _NOTHING
    if difference(row.deployment_desired_status, row.deployment_status, row.program_status) is not kind:
        return _NOTHING
    # Each of these may have ended an agreement.
    instants = [micros(row.deployment_desired_status_since), micros(row.deployment_status_since)]
    if kind is Difference.START_PENDING:
        instants.append(micros(row.program_status_since))
    return (Period(_after(max(instants), limit), label=row.deployment_status),)


def _program(pipeline: Pipeline, statuses: Collection[str], after: int) -> Findings:
    row: Row = pipeline.facts.row
    if row.program_status not in statuses:
        return _NOTHING
    return (Period(micros(row.program_status_since) + after, label=row.program_status),)
