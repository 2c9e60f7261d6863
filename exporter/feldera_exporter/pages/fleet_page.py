"""The view of the fleet page: every pipeline that the filter leaves, the most urgent first."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from feldera_exporter.feldera.statuses import DEPLOYMENT, PROGRAM, STORAGE
from feldera_exporter.pages import formatting, status_style
from feldera_exporter.pages.alerts import FiringAlert, firing_alert
from feldera_exporter.pages.instance_view import InstanceView, PageState, WatchedInstance, instance_view
from feldera_exporter.pages.levels import LEVEL_TEXTS, WORDS, level_text
from feldera_exporter.pages.limit_bars import LimitBar, limit_bar
from feldera_exporter.pages.links import Links
from feldera_exporter.pages.page_query import PageQuery, address
from feldera_exporter.pages.status_style import StatusStyle, style_of
from feldera_exporter.problems.alerts import alerts
from feldera_exporter.problems.summary import PipelineSummary, Urgency, lines, urgency
from feldera_exporter.state.pipeline import Pipeline

MOST: Final = 1000
"""Pipelines that one page shows at most: the worst; a filter finds the others."""

_NAME: Final = 200
_MESSAGE: Final = 160
"""Characters of an error's message in a row."""


@dataclass(frozen=True, slots=True)
class Row:
    """One pipeline on the page; what is usual is left out.

    Attributes:
        name: the pipeline's.
        instance: the instance's.
        address: of the pipeline's own page.
        team: from the tag, as `tier`.
        tier: see `team`.
        level: how urgent its state is, in words.
        look: of that level.
        status: the combined status.
        desired: the desired one where it is another.
        program: the program's, None where it is compiled.
        storage: the storage's, None where it is not being cleared.
        bar: the time that is nearest to its limit.
        error: the deployment error's code.
        message: the beginning of its message, in one line.
        alerts: those that the state makes fire.
    """

    name: str
    instance: str
    address: str
    team: str
    tier: str
    level: str
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
class Tile:
    """How many pipelines are of a level.

    Attributes:
        level: the word in the address.
        text: in words.
        short: in as few as a phone has room for.
        look: its look.
        count: how many.
    """

    level: str
    text: str
    short: str
    look: str
    count: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """One thing that the filter asks for.

    Attributes:
        what: the field in words.
        value: what it should be.
        without: the address of the page that does not ask for it.
    """

    what: str
    value: str
    without: str


@dataclass(frozen=True, slots=True)
class FleetPage:
    """The fleet page.

    Attributes:
        headline: the one sentence to read first.
        look: of that sentence.
        instances: every instance.
        tiles: the whole fleet, counted.
        chosen: what the filter asks for.
        rows: the pipelines, the worst first.
        empty: what to say where there are no pipelines at all.
        hidden: how many more match the filter but are not shown.
        found: how many match the filter, in words.
        total: how many there are.
        statuses: those to choose from.
        teams: those to choose from.
        names: the instances to choose from, none where there is but one.
    """

    headline: str
    look: str
    instances: tuple[InstanceView, ...]
    tiles: tuple[Tile, ...]
    chosen: tuple[Chosen, ...]
    rows: tuple[Row, ...]
    empty: str
    hidden: int
    found: str
    total: int
    statuses: tuple[str, ...]
    teams: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """One pipeline with all that the page is made of."""

    watched: WatchedInstance
    pipeline: Pipeline
    line: PipelineSummary

    @property
    def tags(self) -> dict[str, str]:
        return dict(self.pipeline.facts.tag_labels)


def fleet_page(state: PageState, query: PageQuery, links: Links) -> FleetPage:
    """Return the view of the fleet page.

    Args:
        state: the instances.
        query: what was asked for.
        links: where the exporter's pages are.
    """
    known = [each for watched in state.instances for each in _known(watched, state)]
    # As the lines of each instance are: the most urgent comes first, wherever it is.
    known.sort(key=lambda each: urgency(each.line))
    if query.sort:
        known.sort(key=_SORTS[query.sort])
    levels = Counter(each.line.level for each in known)
    matching = [each for each in known if _matches(each, query)]
    instances = tuple(instance_view(watched, state.choices, links) for watched in state.instances)
    headline, look = _headline(levels, instances)
    return FleetPage(
        headline=headline,
        look=look,
        instances=instances,
        tiles=tuple(
            Tile(
                word,
                each.singular if levels[each.level] == 1 else each.plural,
                each.short,
                status_style.LEVELS[each.level],
                levels[each.level],
            )
            for word, each in LEVEL_TEXTS.items()
        ),
        chosen=tuple(_chosen(query)),
        rows=tuple(_row(each, links) for each in matching[:MOST]),
        empty=_empty(instances),
        hidden=max(0, len(matching) - MOST),
        found=formatting.count(len(matching), "pipeline"),
        total=len(known),
        statuses=_choices(_statuses(known), query.status),
        teams=_choices({each.tags.get("team", "") for each in known}, query.team),
        names=_choices({each.name for each in instances}, query.instance)
        if len(instances) > 1 or query.instance
        else (),
    )


_SORTS: Final[Mapping[str, Callable[[_Known], Any]]] = MappingProxyType(
    {
        "name": lambda each: (each.line.name.casefold(), each.line.name),
        "status": lambda each: (each.line.status, each.line.program),
        "age": lambda each: -each.line.wait.age,
    }
)
"""By the word in the address, by what pipelines are sorted, the longest time first; equal ones by urgency."""


def _known(watched: WatchedInstance, state: PageState) -> Iterable[_Known]:
    pipelines = watched.fleet.last_known
    about = (each for each in alerts(watched.problems.present, state.choices) if each.pipeline in pipelines)
    for line in lines(pipelines, about, watched.known_at):
        yield _Known(watched, pipelines[line.id], line)


def _matches(each: _Known, query: PageQuery) -> bool:
    line = each.line
    return (
        query.name.casefold() in line.name.casefold()
        and query.status in {"", line.status, line.program}
        and query.team in {"", each.tags.get("team", "")}
        and query.level in {"", WORDS[line.level]}
        and query.instance in {"", each.watched.fleet.instance}
    )


def _row(each: _Known, links: Links) -> Row:
    line, instance_ = each.line, each.watched.fleet.instance
    error = each.pipeline.facts.row.deployment_error
    program, storage = style_of(PROGRAM, line.program), style_of(STORAGE, line.storage)
    return Row(
        name=formatting.cut(line.name, _NAME)[0],
        instance=instance_,
        address=links.pipeline(instance_, line.name, line.id),
        team=each.tags.get("team", ""),
        tier=each.tags.get("tier", ""),
        level=level_text(line.level).singular,
        look=status_style.LEVELS[line.level],
        status=style_of(DEPLOYMENT, line.status),
        desired="" if line.desired == line.status else line.desired,
        program=None if line.program == "Success" else program,
        storage=storage if line.storage not in {"Cleared", "InUse"} else None,
        bar=limit_bar(line.wait),
        error=formatting.cut(line.error_code, _NAME)[0],
        message=formatting.first_lines(error.message, _MESSAGE, 1) if error is not None else "",
        alerts=tuple(firing_alert(alert, links, instance_, line.name) for alert in line.alerts),
    )


def _chosen(query: PageQuery) -> Iterable[Chosen]:
    for field, value in query.chosen.items():
        without = address(query, **{field: ""})
        if field == "level":
            yield Chosen("", LEVEL_TEXTS[value].singular, without)
        else:
            yield Chosen("name has" if field == "name" else field, value, without)


def _empty(instances: Sequence[InstanceView]) -> str:
    """Return what to say where there are no pipelines: whether there are none, or nobody knows, are different things."""
    if all(each.state == "up" for each in instances):
        return "Feldera has no pipelines, or the configuration includes none."
    return "No list of pipelines has been read yet."


def _headline(levels: Counter[Urgency], instances: Sequence[InstanceView]) -> tuple[str, str]:
    """Return the sentence to read first, and its look."""
    if old := [each for each in instances if each.warning and each.state != "waiting"]:
        return _old_data(old, len(instances)), "bad"
    for level in (Urgency.CRITICAL, Urgency.WRONG):
        if number := levels[level]:
            text = level_text(level)
            verb = text.singular if number == 1 else text.plural
            return f"{formatting.count(number, 'pipeline')} {verb}", status_style.LEVELS[level]
    if any(each.state == "waiting" for each in instances):
        return "Waiting for Feldera", "transient"
    if unread := sum(len(each.unreadable) + each.hidden for each in instances):
        return f"{formatting.count(unread, 'pipeline')} cannot be read", "person"
    if not levels:
        return "No pipelines", "idle"
    return "All pipelines are healthy", "good"


def _old_data(old: Sequence[InstanceView], instances: int) -> str:
    """Return the headline while some instances do not answer."""
    if instances == 1:
        return old[0].warning
    if len(old) == 1:
        return f"No current data from {old[0].name}"
    return f"No current data from {len(old)} of {instances} instances"


def _statuses(known: Iterable[_Known]) -> set[str]:
    return {status for each in known for status in (each.line.status, each.line.program)} - {"Success"}


def _choices(values: set[str], chosen: str) -> tuple[str, ...]:
    """Return what one may choose: what is there, and what is chosen already though it is gone."""
    return tuple(sorted({*values, chosen} - {""}, key=str.casefold))
