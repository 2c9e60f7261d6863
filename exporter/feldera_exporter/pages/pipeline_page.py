"""The view of one pipeline's page: what it is doing, what is wrong with it, and what happened to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from feldera_exporter.feldera.program_details import ProgramDetails
from feldera_exporter.feldera.statuses import (
    DEPLOYMENT,
    DEPLOYMENT_DESIRED,
    PROGRAM,
    RESOURCES,
    RUNTIME,
    STORAGE,
    Dimension,
)
from feldera_exporter.feldera.wire import Cuts, Row, micros
from feldera_exporter.pages import formatting, status_style
from feldera_exporter.pages.alerts import InstanceAlert, warned
from feldera_exporter.pages.instance_view import Instance, InstanceView, WatchedInstance, instance
from feldera_exporter.pages.latest_events import Excerpt, LatestEvents, excerpt, laid_out
from feldera_exporter.pages.levels import level_text
from feldera_exporter.pages.limit_bars import LimitBar, limit_bar
from feldera_exporter.pages.links import Links, console
from feldera_exporter.pages.page_query import PageQuery
from feldera_exporter.pages.status_style import StatusStyle, style_of
from feldera_exporter.pages.timeline import Timeline, storage_since, timeline
from feldera_exporter.pages.waiting import waiting_for
from feldera_exporter.problems.alerts import alerts
from feldera_exporter.problems.summary import StatusAge, lines
from feldera_exporter.state.pipeline import Pipeline

_SECOND: Final = 1_000_000
_LINES: Final = 5
_BEGINNING: Final = 400
"""Lines and characters of a cause that are shown on top of the page."""
_DESCRIPTION: Final = 300
"""Characters of a description; Feldera allows as many."""

FAILED_PROGRAMS: Final = frozenset({"SqlError", "RustError", "SystemError"})
"""The statuses of a program that does not compile."""


@dataclass(frozen=True, slots=True)
class Status:
    """One of the pipeline's statuses.

    Attributes:
        name: the dimension in words.
        mark: the status.
        since: when it began, as people read it; empty where nobody knows.
        instant: the same for machines.
        bar: the time against its limit, None where the beginning is unknown.
    """

    name: str
    mark: StatusStyle
    since: str
    instant: str
    bar: LimitBar | None


@dataclass(frozen=True, slots=True)
class Failure:
    """The present deployment error.

    Attributes:
        code: Feldera's.
        at: when it appeared, as people read it; empty where nobody knows.
        instant: the same for machines.
        message: what Feldera says.
        details: what else it says, laid out; None where it says nothing.
    """

    code: str
    at: str
    instant: str
    message: Excerpt
    details: Excerpt | None


@dataclass(frozen=True, slots=True)
class Cause:
    """The beginning of what Feldera says about a problem.

    Attributes:
        headline: whose words they are.
        text: a few lines.
        code: the error's code, empty without one.
        anchor: where on the page all of it is.
    """

    headline: str
    text: str
    code: str
    anchor: str


@dataclass(frozen=True, slots=True)
class PipelinePage:
    """One pipeline's page.

    Attributes:
        name: the pipeline's.
        instance: what is said of its instance.
        status: the combined status.
        desired: the desired one where it is another.
        level: how urgent its state is, in words.
        look: of that level.
        bar: the time that is nearest to its limit.
        alerts: those that fire, the worst first.
        causes: the beginning of what Feldera says about them.
        description: the pipeline's own.
        compiler_errors: what the compilers say, None where they say nothing.
        failure: the deployment error, None without one.
        statuses: all of them.
        notes: what Feldera says of the present statuses, by a headline.
        timeline: what the event log tells, None where it tells nothing.
        problem: why Feldera could not be asked, empty if it could.
        facts: what else is known, by a headline.
        console: the pipeline's address in Feldera's web console, empty if there is none.
    """

    name: str
    instance: Instance
    status: StatusStyle
    desired: str
    level: str
    look: str
    bar: LimitBar
    alerts: tuple[InstanceAlert, ...]
    causes: tuple[Cause, ...]
    description: str
    compiler_errors: Excerpt | None
    failure: Failure | None
    statuses: tuple[Status, ...]
    notes: tuple[tuple[str, Excerpt], ...]
    timeline: Timeline | None
    problem: str
    facts: tuple[tuple[str, str], ...]
    console: str


def find(seen: InstanceView, instance_: str, told: str) -> tuple[WatchedInstance, Pipeline] | None:
    """Return a pipeline by its instance and its name or id, None where there is none."""
    for watched in seen.instances:
        if watched.fleet.instance == instance_:
            pipelines = watched.fleet.last_known
            named = (each for each in pipelines.values() if each.facts.row.name == told)
            found = next(named, None) or pipelines.get(told)
            return (watched, found) if found else None
    return None


def pipeline_page(
    watched: WatchedInstance,
    pipeline: Pipeline,
    recent: LatestEvents,
    program: ProgramDetails,
    seen: InstanceView,
    query: PageQuery,
    links: Links,
) -> PipelinePage:
    """Return the view of a pipeline's page.

    Args:
        watched: the pipeline's instance.
        pipeline: as it is known.
        recent: what Feldera says of it.
        program: what Feldera says of its program.
        seen: all of them, with what the configuration says of alerts.
        query: what was asked for.
        links: where the exporter's pages are.
    """
    row = pipeline.facts.row
    about = alerts(watched.problems.of(row.id), seen.choices)
    (line,) = lines({row.id: pipeline}, about, watched.known_at)
    now = watched.now
    failure = _failure(pipeline, recent, now)
    errors = excerpt(program.errors) if program.errors and row.program_status in FAILED_PROGRAMS else None
    return PipelinePage(
        name=row.name,
        instance=instance(watched, seen.choices, links),
        status=style_of(DEPLOYMENT, row.deployment_status),
        desired="" if line.desired == line.status else line.desired,
        level=level_text(line.level).singular,
        look=status_style.LEVELS[line.level],
        bar=limit_bar(line.wait),
        alerts=tuple(
            warned(alert, links, now, watched.fleet.instance, pipeline.facts) for alert in line.alerts
        ),
        causes=tuple(_causes(failure, errors, waiting_for(recent))),
        description=formatting.cut(program.description, _DESCRIPTION)[0],
        compiler_errors=errors,
        failure=failure,
        statuses=tuple(_statuses(pipeline, recent, watched.known_at)),
        notes=tuple(_notes(recent)),
        timeline=timeline(recent.events or (), query.span, watched.now),
        problem=recent.problem,
        facts=tuple((name, value) for name, value in _facts(pipeline, watched.now) if value),
        console=console(watched.url, row.name),
    )


def _causes(failure: Failure | None, errors: Excerpt | None, waiting: Excerpt | None) -> Iterator[Cause]:
    if failure is not None:
        text = failure.message.text or (failure.details.text if failure.details is not None else "")
        yield Cause("Deployment error", _beginning(text), failure.code, "error")
    if errors is not None:
        yield Cause("The compiler says", _beginning(errors.text), "", "compiler")
    if waiting is not None:
        yield Cause("Feldera waits for", _beginning(waiting.text), "", "notes")


def _beginning(text: str) -> str:
    return formatting.first_lines(text, _BEGINNING, _LINES)


def _failure(pipeline: Pipeline, recent: LatestEvents, now: int) -> Failure | None:
    error = pipeline.facts.row.deployment_error
    if error is None:
        return None
    at = pipeline.history.errors.at
    full = recent.newest.deployment_error if recent.newest is not None else None
    # Of a long one Feldera may have told more, or may have another one by now.
    if full is not None and error.cuts != Cuts() and full.message.startswith(error.message):
        error = full
    return Failure(
        code=error.error_code,
        at=formatting.moment(at, now) if at is not None else "",
        instant=formatting.instant(at) if at is not None else "",
        message=excerpt(error.message, error.cuts.message),
        details=laid_out(error.details, error.cuts.details),
    )


def _statuses(pipeline: Pipeline, recent: LatestEvents, now: int) -> Iterator[Status]:
    row, limits = pipeline.facts.row, pipeline.facts.limits
    none = float("inf")
    yield _status("Deployment", DEPLOYMENT, row, limits.deployment_status, now)
    yield _status("Desired", DEPLOYMENT_DESIRED, row, none, now)
    yield _status("Resources", RESOURCES, row, none, now)
    if row.deployment_runtime_status is not None:
        yield _status("Runtime", RUNTIME, row, none, now)
    yield _status("Program", PROGRAM, row, limits.program_status, now)
    # The list does not tell it; the log, which is shown beside, does.
    since = storage_since(recent.events or (), row.storage_status, pipeline.history.since.storage)
    yield _told("Storage", style_of(STORAGE, row.storage_status), since, limits.storage_status, now)


def _status(name: str, dimension: Dimension, row: Row, limit: float, now: int) -> Status:
    since = getattr(row, f"{dimension.name}_since")
    told = style_of(dimension, getattr(row, dimension.name))
    return _told(name, told, None if since is None else micros(since), limit, now)


def _told(name: str, told: StatusStyle, since: int | None, limit: float, now: int) -> Status:
    if since is None:
        return Status(name, told, "", "", None)
    wait = StatusAge(told.text, max(0, now - since) / _SECOND, limit)
    return Status(name, told, formatting.moment(since, now), formatting.instant(since), limit_bar(wait))


def _notes(recent: LatestEvents) -> Iterator[tuple[str, Excerpt]]:
    newest = recent.newest
    if newest is None:
        return
    for headline, details in (
        ("What Feldera says of its resources", newest.deployment_resources_status_details),
        ("What the pipeline says of itself", newest.deployment_runtime_status_details),
    ):
        if (text := laid_out(details)) is not None:
            yield headline, text


def _facts(pipeline: Pipeline, now: int) -> Iterator[tuple[str, str]]:
    row, progress = pipeline.facts.row, pipeline.progress
    yield "Id", row.id
    yield "Created", f"{formatting.moment(micros(row.created_at), now)} UTC"
    yield "Platform", row.platform_version
    yield "Profile", row.program_config.profile or ""
    for label, value in pipeline.facts.tag_labels:
        yield label.capitalize(), value
    yield "Tags", ", ".join(row.tags)
    if progress.connector_errors is not None:
        yield "Connector errors since its start", f"{progress.connector_errors:,}"
