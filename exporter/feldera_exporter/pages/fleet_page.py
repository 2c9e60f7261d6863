"""The view of the fleet page: the pipelines that match the filter, the most urgent first."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from feldera_exporter.feldera.statuses import DEPLOYMENT, PROGRAM, STORAGE
from feldera_exporter.pages import formatting
from feldera_exporter.pages.alerts import FiringAlert, firing_alert
from feldera_exporter.pages.instance_view import InstanceView, PageState, WatchedInstance, instance_view
from feldera_exporter.pages.links import Links
from feldera_exporter.pages.page_query import PageQuery, address
from feldera_exporter.pages.status_age_bars import LimitBar, limit_bar
from feldera_exporter.pages.status_style import BY_VALUE, LEVELS, Level, StatusStyle, style_of
from feldera_exporter.problems.alerts import alerts
from feldera_exporter.problems.pipeline_summaries import PipelineSummary, Urgency, lines, urgency
from feldera_exporter.state.pipeline import Pipeline

MOST: Final = 1000
"""Pipelines on a page at most: the most urgent ones; a filter finds the others."""

_CODE: Final = 200
"""Characters of an error's code in a row."""
_MESSAGE: Final = 160
"""Characters of an error's message in a row."""


@dataclass(frozen=True, slots=True)
class FleetRow:
    """The row of a pipeline; it leaves out what is usual.

    Attributes:
        desired: the desired status where it is another one.
        program: the status of the program; None where it is compiled.
        storage: the status of the storage; None where it is not being cleared.
        bar: the age of the status that is nearest to its limit.
        message: the beginning of its message, in one line.
    """

    name: str
    instance: str
    address: str
    team: str
    tier: str
    look: str
    status: StatusStyle
    desired: str
    program: StatusStyle | None
    storage: StatusStyle | None
    bar: LimitBar
    error: str
    message: str
    alerts: tuple[FiringAlert, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A field of the filter, and the address of the page without it."""

    what: str
    value: str
    without: str


@dataclass(frozen=True, slots=True)
class FleetPage:
    """The fleet page.

    Attributes:
        tiles: the numbers of pipelines by level, without the filter.
        rows: the pipelines, the most urgent first.
        empty: what the page says without pipelines.
        hidden: the number of further pipelines that match the filter.
        found: the number of pipelines that match the filter, in words.
        names: the options of the filter by instance; none where there is one instance.
    """

    headline: str
    look: str
    instances: tuple[InstanceView, ...]
    tiles: tuple[tuple[Level, int], ...]
    chosen: tuple[Chosen, ...]
    rows: tuple[FleetRow, ...]
    empty: str
    hidden: int
    found: str
    total: int
    statuses: tuple[str, ...]
    teams: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A pipeline with its instance and its summary."""

    watched: WatchedInstance
    pipeline: Pipeline
    summary: PipelineSummary

    @property
    def tags(self) -> dict[str, str]:
        return dict(self.pipeline.facts.tag_labels)


def fleet_page(state: PageState, query: PageQuery, links: Links) -> FleetPage:
    """Return the view of the fleet page."""
    entries = [each for watched in state.instances for each in _entries(watched, state)]
    entries.sort(key=lambda each: urgency(each.summary))
    if query.sort:
        entries.sort(key=_SORTS[query.sort])
    counts = Counter(each.summary.level for each in entries)
    matching = [each for each in entries if _matches(each, query)]
    instances = tuple(instance_view(watched, state.choices, links) for watched in state.instances)
    statuses = {each.summary.status for each in entries} | {each.summary.program for each in entries}
    headline, look = _headline(counts, instances)
    return FleetPage(
        headline=headline,
        look=look,
        instances=instances,
        tiles=tuple((level, counts[value]) for value, level in LEVELS.items()),
        chosen=tuple(_chosen(query)),
        rows=tuple(_row(each, links) for each in matching[:MOST]),
        empty=_empty(instances),
        hidden=max(0, len(matching) - MOST),
        found=formatting.count(len(matching), "pipeline"),
        total=len(entries),
        statuses=_choices(statuses - {"Success"}, query.status),
        teams=_choices({each.tags.get("team", "") for each in entries}, query.team),
        names=_choices({each.name for each in instances}, query.instance)
        if len(instances) > 1 or query.instance
        else (),
    )


_SORTS: Final[Mapping[str, Callable[[_Entry], Any]]] = {
    "name": lambda each: (each.summary.name.casefold(), each.summary.name),
    "status": lambda each: (each.summary.status, each.summary.program),
    "age": lambda each: -each.summary.wait.age,
}
"""The sort keys by value in the address; the longest time first. Equal ones stay sorted by urgency."""


def _entries(watched: WatchedInstance, state: PageState) -> Iterable[_Entry]:
    pipelines = watched.fleet.last_known
    about = (each for each in alerts(watched.problems.present, state.choices) if each.pipeline in pipelines)
    for line in lines(pipelines, about, watched.known_at):
        yield _Entry(watched, pipelines[line.id], line)


def _matches(each: _Entry, query: PageQuery) -> bool:
    line = each.summary
    return (
        query.name.casefold() in line.name.casefold()
        and query.status in {"", line.status, line.program}
        and query.team in {"", each.tags.get("team", "")}
        and query.level in {"", LEVELS[line.level].value}
        and query.instance in {"", each.watched.fleet.instance}
    )


def _row(each: _Entry, links: Links) -> FleetRow:
    line, instance_name = each.summary, each.watched.fleet.instance
    error = each.pipeline.facts.row.deployment_error
    program, storage = style_of(PROGRAM, line.program), style_of(STORAGE, line.storage)
    return FleetRow(
        name=line.name,
        instance=instance_name,
        address=links.pipeline(instance_name, line.name),
        team=each.tags.get("team", ""),
        tier=each.tags.get("tier", ""),
        look=LEVELS[line.level].look,
        status=style_of(DEPLOYMENT, line.status),
        desired="" if line.desired == line.status else line.desired,
        program=None if line.program == "Success" else program,
        storage=storage if line.storage not in {"Cleared", "InUse"} else None,
        bar=limit_bar(line.wait),
        error=line.error_code[:_CODE],
        message=formatting.first_lines(error.message, _MESSAGE, 1) if error is not None else "",
        alerts=tuple(firing_alert(alert, links, instance_name, line.name) for alert in line.alerts),
    )


def _chosen(query: PageQuery) -> Iterable[Chosen]:
    for field, value in query.chosen.items():
        without = address(query, **{field: ""})
        if field == "level":
            yield Chosen("", BY_VALUE[value].singular, without)
        else:
            yield Chosen("name has" if field == "name" else field, value, without)


def _empty(instances: Sequence[InstanceView]) -> str:
    """Return what the page says without pipelines: there are none, or that is not known."""
    if all(each.state == "up" for each in instances):
        return "Feldera has no pipelines, or the configuration includes none."
    return "No list of pipelines has been read yet."


def _headline(counts: Counter[Urgency], instances: Sequence[InstanceView]) -> tuple[str, str]:
    """Return the headline and its look."""
    if old := [each for each in instances if each.warning and each.state != "waiting"]:
        return _old_data(old, len(instances)), "bad"
    for level in (Urgency.CRITICAL, Urgency.WRONG):
        if number := counts[level]:
            return f"{formatting.count(number, 'pipeline')} {LEVELS[level].text(number)}", LEVELS[level].look
    if any(each.state == "waiting" for each in instances):
        return "Waiting for Feldera", "transient"
    if unread := sum(len(each.unreadable) + each.hidden for each in instances):
        return f"{formatting.count(unread, 'pipeline')} cannot be read", "person"
    if not counts:
        return "No pipelines", "idle"
    return "All pipelines are healthy", "good"


def _old_data(old: Sequence[InstanceView], instances: int) -> str:
    """Return the headline while some instances do not answer."""
    if instances == 1:
        return old[0].warning
    if len(old) == 1:
        return f"No current data from {old[0].name}"
    return f"No current data from {len(old)} of {instances} instances"


def _choices(values: set[str], chosen: str) -> tuple[str, ...]:
    """Return the options of a filter: the values of all pipelines, and the chosen one, which may have vanished."""
    return tuple(sorted({*values, chosen} - {""}, key=str.casefold))
