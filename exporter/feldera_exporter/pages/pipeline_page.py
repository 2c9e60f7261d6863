"""The view of a pipeline's page: its statuses, its problems with their causes, and its timeline."""

import math
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
)
from feldera_exporter.feldera.wire import Cuts
from feldera_exporter.micros import SECOND, Micros, from_datetime
from feldera_exporter.pages import formatting
from feldera_exporter.pages.alerts import FiringAlert, firing_alert
from feldera_exporter.pages.formatting import Moment
from feldera_exporter.pages.instance_view import InstanceView, PageState, WatchedInstance, instance_view
from feldera_exporter.pages.latest_events import Excerpt, LatestEvents, excerpt, laid_out, waiting_for
from feldera_exporter.pages.links import Links, console
from feldera_exporter.pages.page_query import PageQuery
from feldera_exporter.pages.status_style import StatusStyle, style_of
from feldera_exporter.pages.timeline import Timeline, storage_since, timeline
from feldera_exporter.problems.alerts import alerts
from feldera_exporter.problems.pipeline_summaries import PipelineSummary, StatusAge, lines
from feldera_exporter.state.pipeline import Pipeline

_LINES: Final = 5
_BEGINNING: Final = 400
"""Lines and characters of a cause that are shown on top of the page."""
_DESCRIPTION: Final = 300
"""Characters of a description; Feldera allows as many."""

FAILED_PROGRAMS: Final = frozenset({"SqlError", "RustError", "SystemError"})
"""The statuses of a program that does not compile."""


@dataclass(frozen=True, slots=True)
class StatusView:
    """One of the pipeline's statuses.

    Attributes:
        name: the dimension in words.
        since: when it began; None where that is unknown.
        age: its age and its limit; None where the beginning is unknown.
    """

    name: str
    mark: StatusStyle
    since: Moment | None
    age: StatusAge | None


@dataclass(frozen=True, slots=True)
class ErrorView:
    """The present deployment error; `at` is None where that is unknown, `details` where there are none."""

    code: str
    at: Moment | None
    message: Excerpt
    details: Excerpt | None


@dataclass(frozen=True, slots=True)
class Cause:
    """The beginning of what Feldera says about a problem.

    Attributes:
        headline: who says it.
        anchor: the part of the page with the whole text.
    """

    headline: str
    text: str
    code: str
    anchor: str


@dataclass(frozen=True, slots=True)
class PipelinePage:
    """One pipeline's page.

    Attributes:
        alerts: those that fire, the worst first.
        causes: the beginning of what Feldera says about them.
        compiler_errors: the output of the compilers; None where the program has compiled.
        notes: Feldera's details of the present statuses, each with a headline.
        timeline: the timeline of the event log; None where the log is empty or could not be read.
        problem: why Feldera did not answer; empty if it did.
        console: the pipeline's address in Feldera's web console, empty if there is none.
    """

    summary: PipelineSummary
    instance: InstanceView
    alerts: tuple[FiringAlert, ...]
    causes: tuple[Cause, ...]
    description: str
    compiler_errors: Excerpt | None
    failure: ErrorView | None
    statuses: tuple[StatusView, ...]
    notes: tuple[tuple[str, Excerpt], ...]
    timeline: Timeline | None
    problem: str
    facts: tuple[tuple[str, str], ...]
    console: str


def find(state: PageState, instance_name: str, name_or_id: str) -> tuple[WatchedInstance, Pipeline] | None:
    """Return an instance and one of its pipelines; None where there is no such pipeline."""
    watched = state.instance(instance_name)
    if watched is None:
        return None
    pipelines = watched.fleet.last_known
    named = (each for each in pipelines.values() if each.facts.row.name == name_or_id)
    found = next(named, None) or pipelines.get(name_or_id)
    return (watched, found) if found else None


def pipeline_page(
    watched: WatchedInstance,
    pipeline: Pipeline,
    recent: LatestEvents,
    program: ProgramDetails,
    state: PageState,
    query: PageQuery,
    links: Links,
) -> PipelinePage:
    """Return the view of a pipeline's page."""
    row = pipeline.facts.row
    about = alerts(watched.problems.of(row.id), state.choices)
    (summary,) = lines({row.id: pipeline}, about, watched.known_at)
    now = watched.now
    failure = _failure(pipeline, recent, now)
    errors = excerpt(program.errors) if program.errors and row.program_status in FAILED_PROGRAMS else None
    return PipelinePage(
        summary=summary,
        instance=instance_view(watched, state.choices, links),
        alerts=tuple(
            firing_alert(alert, links, now, watched.fleet.instance, pipeline.facts)
            for alert in summary.alerts
        ),
        causes=tuple(_causes(failure, errors, waiting_for(recent))),
        description=program.description[:_DESCRIPTION],
        compiler_errors=errors,
        failure=failure,
        statuses=tuple(_statuses(pipeline, recent, watched.known_at)),
        notes=tuple(_notes(recent)),
        timeline=timeline(recent.events or (), query.span, watched.now),
        problem=recent.problem,
        facts=tuple((name, value) for name, value in _facts(pipeline, watched.now) if value),
        console=console(watched.url, row.name),
    )


def _causes(failure: ErrorView | None, errors: Excerpt | None, waiting: Excerpt | None) -> Iterator[Cause]:
    if failure is not None:
        text = failure.message.text or (failure.details.text if failure.details is not None else "")
        yield Cause("Deployment error", _beginning(text), failure.code, "error")
    if errors is not None:
        yield Cause("The compiler says", _beginning(errors.text), "", "compiler")
    if waiting is not None:
        yield Cause("Feldera says", _beginning(waiting.text), "", "notes")


def _beginning(text: str) -> str:
    return formatting.first_lines(text, _BEGINNING, _LINES)


def _failure(pipeline: Pipeline, recent: LatestEvents, now: Micros) -> ErrorView | None:
    error = pipeline.facts.row.deployment_error
    if error is None:
        return None
    at = pipeline.history.errors.at
    full = recent.newest.deployment_error if recent.newest is not None else None
    # Of a long error the list has the beginning only. The newest event may have another error by now.
    if full is not None and error.cuts != Cuts() and full.message.startswith(error.message):
        error = full
    return ErrorView(
        code=error.error_code,
        at=formatting.moment(at, now) if at is not None else None,
        message=excerpt(error.message, error.cuts.message),
        details=laid_out(error.details, error.cuts.details),
    )


def _statuses(pipeline: Pipeline, recent: LatestEvents, now: Micros) -> Iterator[StatusView]:
    row, limits = pipeline.facts.row, pipeline.facts.limits
    for name, dimension, limit in (
        ("Deployment", DEPLOYMENT, limits.deployment_status),
        ("Desired", DEPLOYMENT_DESIRED, math.inf),
        ("Resources", RESOURCES, math.inf),
        ("Runtime", RUNTIME, math.inf),
        ("Program", PROGRAM, limits.program_status),
        ("Storage", STORAGE, limits.storage_status),
    ):
        status = getattr(row, dimension.name)
        if status is None:
            continue
        if dimension is STORAGE:
            # Feldera's list has no such time; the event log, which the page shows too, may have it.
            since = storage_since(recent.events or (), status, pipeline.history.since.storage)
        else:
            began = getattr(row, f"{dimension.name}_since")
            since = None if began is None else from_datetime(began)
        moment, age = None, None
        if since is not None:
            moment = formatting.moment(since, now)
            age = StatusAge(status, max(0, now - since) / SECOND, limit)
        yield StatusView(name, style_of(dimension, status), moment, age)


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


def _facts(pipeline: Pipeline, now: Micros) -> Iterator[tuple[str, str]]:
    row, progress = pipeline.facts.row, pipeline.progress
    yield "Id", row.id
    yield "Created", f"{formatting.moment(from_datetime(row.created_at), now).text} UTC"
    yield "Platform", row.platform_version
    yield "Profile", row.profile
    for label, value in pipeline.facts.tag_labels:
        yield label.capitalize(), value
    yield "Tags", ", ".join(row.tags)
    if progress.connector_errors is not None:
        yield "Connector errors since its start", f"{progress.connector_errors:,}"
