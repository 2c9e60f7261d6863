"""The view of the fleet page: every pipeline that the filter leaves, the worst first."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from feldera_exporter.feldera.statuses import DEPLOYMENT, PROGRAM, STORAGE
from feldera_exporter.pages import formatting, status_style
from feldera_exporter.pages.alerts import FiringAlert, shown
from feldera_exporter.pages.attention import NEEDS, WORDS, attention_of
from feldera_exporter.pages.instance_view import Instance, InstanceView, View, instance
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


@dataclass(frozen=True, slots=True)
class Row:
    """One pipeline on the page; what is usual is left out.

    Attributes:
        name: the pipeline's.
        instance: the instance's.
        address: of the pipeline's own page.
        team: from the tag, as `tier`.
        tier: see `team`.
        need: how much it needs somebody, in words.
        look: of that need.
        status: the combined status.
        desired: the desired one where it is another.
        program: the program's, None where it is compiled.
        storage: the storage's, None where it is not being cleared.
        bar: the time that is nearest to its limit.
        error: the deployment error's code.
        alerts: those that the state makes fire.
    """

    name: str
    instance: str
    address: str
    team: str
    tier: str
    need: str
    look: str
    status: StatusStyle
    desired: str
    program: StatusStyle | None
    storage: StatusStyle | None
    bar: LimitBar
    error: str
    alerts: tuple[FiringAlert, ...]


@dataclass(frozen=True, slots=True)
class Tile:
    """How many pipelines are in so much need.

    Attributes:
        need: the word in the address.
        text: in words.
        short: in as few as a phone has room for.
        look: its look.
        count: how many.
    """

    need: str
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
    instances: tuple[Instance, ...]
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

    sight: View
    pipeline: Pipeline
    line: PipelineSummary

    @property
    def tags(self) -> dict[str, str]:
        return dict(self.pipeline.facts.tag_labels)


def fleet_page(seen: InstanceView, query: PageQuery, links: Links) -> FleetPage:
    """Return the view of the fleet page.

    Args:
        seen: the instances.
        query: what was asked for.
        links: where the exporter's pages are.
    """
    known = [each for sight in seen.sights for each in _known(sight, seen)]
    # As the lines of each instance are: what needs somebody most comes first, wherever it is.
    known.sort(key=lambda each: urgency(each.line))
    levels = Counter(each.line.level for each in known)
    matching = [each for each in known if _matches(each, query)]
    instances = tuple(instance(sight, seen.choices, links) for sight in seen.sights)
    headline, look = _headline(levels, instances)
    return FleetPage(
        headline=headline,
        look=look,
        instances=instances,
        tiles=tuple(
            Tile(
                word,
                each.one if levels[each.level] == 1 else each.many,
                each.short,
                status_style.LEVELS[each.level],
                levels[each.level],
            )
            for word, each in NEEDS.items()
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


def _known(sight: View, seen: InstanceView) -> Iterable[_Known]:
    pipelines = sight.fleet.pipelines
    about = (each for each in alerts(sight.problems.present, seen.choices) if each.pipeline in pipelines)
    for line in lines(pipelines, about, sight.now):
        yield _Known(sight, pipelines[line.id], line)


def _matches(each: _Known, query: PageQuery) -> bool:
    line = each.line
    return (
        query.name.casefold() in line.name.casefold()
        and query.status in {"", line.status, line.program}
        and query.team in {"", each.tags.get("team", "")}
        and query.need in {"", WORDS[line.level]}
        and query.instance in {"", each.sight.fleet.instance}
    )


def _row(each: _Known, links: Links) -> Row:
    line, instance_ = each.line, each.sight.fleet.instance
    program, storage = style_of(PROGRAM, line.program), style_of(STORAGE, line.storage)
    return Row(
        name=formatting.cut(line.name, _NAME)[0],
        instance=instance_,
        address=links.pipeline(instance_, line.name, line.id),
        team=each.tags.get("team", ""),
        tier=each.tags.get("tier", ""),
        need=attention_of(line.level).one,
        look=status_style.LEVELS[line.level],
        status=style_of(DEPLOYMENT, line.status),
        desired="" if line.desired == line.status else line.desired,
        program=None if line.program == "Success" else program,
        storage=storage if line.storage not in {"Cleared", "InUse"} else None,
        bar=limit_bar(line.wait),
        error=formatting.cut(line.error_code, _NAME)[0],
        alerts=tuple(shown(alert, links) for alert in line.alerts),
    )


def _chosen(query: PageQuery) -> Iterable[Chosen]:
    for field, value in query.chosen.items():
        without = address(query, **{field: ""})
        if field == "need":
            yield Chosen("", NEEDS[value].one, without)
        else:
            yield Chosen("name has" if field == "name" else field, value, without)


def _empty(instances: Sequence[Instance]) -> str:
    """Return what to say where there are no pipelines: whether there are none, or nobody knows, are different things."""
    if all(each.state == "up" for each in instances):
        return "Feldera has no pipelines, or the configuration includes none."
    if any(each.state == "down" and each.read for each in instances):
        return "Nothing is shown: what Feldera said last is too old."
    return "Nothing can be shown yet."


def _headline(levels: Counter[Urgency], instances: Sequence[Instance]) -> tuple[str, str]:
    """Return the sentence to read first, and its look."""
    for level in (Urgency.CRITICAL, Urgency.WRONG):
        if level is Urgency.WRONG and any(each.state == "down" for each in instances):
            return "Feldera does not answer", "bad"
        if number := levels[level]:
            told = attention_of(level)
            verb = told.one if number == 1 else told.many
            return f"{formatting.count(number, 'pipeline')} {verb}", status_style.LEVELS[level]
    if any(each.state == "waiting" for each in instances):
        return "Waiting for Feldera", "transient"
    if unread := sum(len(each.unreadable) + each.hidden for each in instances):
        return f"{formatting.count(unread, 'pipeline')} cannot be read", "person"
    if not levels:
        return "No pipelines", "idle"
    return "All pipelines are well", "good"


def _statuses(known: Iterable[_Known]) -> set[str]:
    return {status for each in known for status in (each.line.status, each.line.program)} - {"Success"}


def _choices(values: set[str], chosen: str) -> tuple[str, ...]:
    """Return what one may choose: what is there, and what is chosen already though it is gone."""
    return tuple(sorted({*values, chosen} - {""}, key=str.casefold))
