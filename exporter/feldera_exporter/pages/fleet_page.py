"""The view of the fleet page: the pipelines that match the filter, the most urgent first."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from feldera_exporter.pages import formatting
from feldera_exporter.pages.alerts import FiringAlert, firing_alert
from feldera_exporter.pages.instance_view import InstanceView, PageState, WatchedInstance, instance_view
from feldera_exporter.pages.links import Links
from feldera_exporter.pages.page_query import PageQuery
from feldera_exporter.pages.status_style import LEVELS, Level
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
    """The row of a pipeline."""

    watched: WatchedInstance
    pipeline: Pipeline
    summary: PipelineSummary

    @property
    def instance(self) -> str:
        """The name of its instance."""
        return self.watched.fleet.instance

    @property
    def tags(self) -> Mapping[str, str]:
        """The tag labels."""
        return dict(self.pipeline.facts.tag_labels)

    @property
    def error(self) -> tuple[str, str]:
        """The code of its error, and the beginning of the message in one line; empty without an error."""
        error = self.pipeline.facts.row.deployment_error
        message = formatting.first_lines(error.message, _MESSAGE, 1) if error is not None else ""
        return self.summary.error_code[:_CODE], message

    def alerts(self, links: Links) -> tuple[FiringAlert, ...]:
        """The firing alerts, the most severe first."""
        now, facts = self.watched.now, self.pipeline.facts
        return tuple(firing_alert(each, links, now, self.instance, facts) for each in self.summary.alerts)


@dataclass(frozen=True, slots=True)
class FleetPage:
    """The fleet page.

    Attributes:
        tiles: the numbers of pipelines by level, without the filter.
        rows: the pipelines, the most urgent first.
        empty: what the page says without pipelines.
        matching: the number of pipelines that match the filter; the page may show fewer.
        names: the options of the filter by instance; none where there is one instance.
    """

    headline: str
    look: str
    instances: tuple[InstanceView, ...]
    tiles: tuple[tuple[Level, int], ...]
    rows: tuple[FleetRow, ...]
    empty: str
    matching: int
    total: int
    statuses: tuple[str, ...]
    teams: tuple[str, ...]
    names: tuple[str, ...]


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
        rows=tuple(matching[:MOST]),
        empty=_empty(instances),
        matching=len(matching),
        total=len(entries),
        statuses=_choices(statuses - {"Success"}, query.status),
        teams=_choices({each.tags.get("team", "") for each in entries}, query.team),
        names=_choices({each.name for each in instances}, query.instance)
        if len(instances) > 1 or query.instance
        else (),
    )


_SORTS: Final[Mapping[str, Callable[[FleetRow], Any]]] = {
    "name": lambda each: (each.summary.name.casefold(), each.summary.name),
    "status": lambda each: (each.summary.status, each.summary.program),
    "age": lambda each: -each.summary.wait.age,
}
"""The sort keys by value in the address; the longest time first. Equal ones stay sorted by urgency."""


def _entries(watched: WatchedInstance, state: PageState) -> Iterable[FleetRow]:
    pipelines = watched.fleet.last_known
    about = (each for each in alerts(watched.problems.present, state.choices) if each.pipeline in pipelines)
    for line in lines(pipelines, about, watched.known_at):
        yield FleetRow(watched, pipelines[line.id], line)


def _matches(each: FleetRow, query: PageQuery) -> bool:
    line = each.summary
    return (
        query.name.casefold() in line.name.casefold()
        and query.status in {"", line.status, line.program}
        and query.team in {"", each.tags.get("team", "")}
        and query.level in {"", LEVELS[line.level].value}
        and query.instance in {"", each.instance}
    )


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
    if unread := sum(len(each.unreadable) for each in instances):
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
