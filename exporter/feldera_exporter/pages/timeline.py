"""The timeline of a pipeline, from its event log: lanes of statuses, and a table of transitions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from types import MappingProxyType
from typing import Final, NamedTuple

from feldera_exporter.feldera.statuses import (
    DEPLOYMENT,
    DEPLOYMENT_DESIRED,
    PROGRAM,
    STORAGE,
    Dimension,
    combine,
)
from feldera_exporter.feldera.wire import Event
from feldera_exporter.history.history import combined
from feldera_exporter.micros import SECOND, Micros, from_datetime, to_datetime
from feldera_exporter.pages import formatting
from feldera_exporter.pages.formatting import Moment
from feldera_exporter.pages.status_style import LEGEND, StatusStyle, style_of

SPANS: Final = MappingProxyType({"15m": 900, "1h": 3600, "6h": 21_600, "24h": 86_400, "7d": 604_800})
"""The spans of a timeline in seconds, by the value in the address."""

MOST: Final = 40
"""Transitions in the table at most."""

_FULL: Final = 0.9
"""The part of a span that may follow the last transition: what was before it shows, too."""
_TICKS: Final = {"15m": 300, "1h": 900, "6h": 3600, "24h": 21_600, "7d": 172_800}
"""Seconds between two ticks, by span; each falls on a round time of day in UTC."""
_DAY: Final = 86_400
_LAST_TICK: Final = 88.0
"""Percent of the lane beyond which a tick would overlap the label `now`."""
_LETTER: Final = 8.0
_PADDING: Final = 14.0
"""Pixels of a letter, and around a label."""

_SCREENS: Final = {"phone": 320.0, "tablet": 680.0, "desktop": 1000.0}
"""Pixels of a lane at least, by kind of screen, as in `style.css`."""


@dataclass(frozen=True, slots=True)
class LaneSegment:
    """A status as a bar.

    Attributes:
        x: where it begins, in percent of the lane.
        width: its width in percent of the lane.
        fits: the smallest of `_SCREENS` on which its label has room; empty if there is none.
        title: the status, how long it lasted and when it began.
    """

    x: float
    width: float
    mark: StatusStyle
    fits: str
    title: str


@dataclass(frozen=True, slots=True)
class Change:
    """A transition.

    Attributes:
        what: the dimension.
        lasted: how long the status before had lasted; empty where the log does not say.
    """

    at: Moment
    what: str
    before: StatusStyle
    after: StatusStyle
    lasted: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """A timeline.

    Attributes:
        span: the key of `SPANS` that the lanes show.
        lanes: the statuses of each dimension, by its name.
        looks: the looks of the segments, each with its meaning.
        errors: where deployment errors appeared, in percent of the lane.
        ticks: places in percent of the lane, with labels.
        changes: the transitions, the newest first.
        hidden: how many more there are.
        retained: how far back the log goes.
    """

    span: str
    lanes: Mapping[str, tuple[LaneSegment, ...]]
    looks: tuple[tuple[str, str], ...]
    errors: tuple[float, ...]
    ticks: tuple[tuple[float, str], ...]
    changes: tuple[Change, ...]
    hidden: int
    retained: str


class _Run(NamedTuple):
    """A status from an instant on, until the next run of its dimension begins."""

    at: Micros
    status: str


REQUESTED: Final = "start requested"
"""The desired status after the request, which no event names: events have no `deployment_initial`."""

_READERS: Final[tuple[tuple[str, Dimension, Callable[[Event], str | None]], ...]] = (
    (
        "Deployment",
        DEPLOYMENT,
        lambda e: combined(e.deployment_resources_status, e.deployment_runtime_status),
    ),
    (
        "Desired",
        DEPLOYMENT_DESIRED,
        lambda e: (
            combine(e.deployment_resources_desired_status, e.deployment_runtime_desired_status)
            or (REQUESTED if e.deployment_resources_desired_status == "Provisioned" else None)
        ),
    ),
    ("Program", PROGRAM, lambda e: e.program_status),
    ("Storage", STORAGE, lambda e: e.storage_status),
)
_UNDRAWN: Final = "Desired"
_ERRORS: Final = "Error"


def timeline(events: Sequence[Event], span: str, now: Micros) -> Timeline | None:
    """Return the timeline of an event log, which has the newest event first; None where it is empty.

    The span is a key of `SPANS`; for any other text the last transition decides.
    """
    if not events:
        return None
    ordered = _oldest_first(events)
    rows = [(name, dimension, tuple(_runs(ordered, reader))) for name, dimension, reader in _READERS]
    changes = [*chain.from_iterable(_changes(*row, now) for row in rows), *_errors(ordered, now)]
    changes.sort(key=lambda pair: pair[0], reverse=True)
    chosen = span if span in SPANS else _fitting(changes[0][0] if changes else now, now)
    start = now - SPANS[chosen] * SECOND
    lanes = {
        name: tuple(_segments(dimension, runs, start, now))
        for name, dimension, runs in rows
        if name != _UNDRAWN
    }
    drawn = {segment.mark.look for segments in lanes.values() for segment in segments}
    return Timeline(
        span=chosen,
        lanes=lanes,
        looks=tuple((look, meaning) for look, meaning in LEGEND if look in drawn),
        errors=tuple(
            _percent(at, start, now)
            for at, change in changes
            if change.what == _ERRORS and change.after.look == "bad" and at >= start
        ),
        ticks=tuple(_ticks(chosen, start, now)),
        changes=tuple(change for _, change in changes[:MOST]),
        hidden=max(0, len(changes) - MOST),
        retained=formatting.duration(max(0, now - from_datetime(ordered[0].recorded_at)) / SECOND),
    )


def storage_since(events: Sequence[Event], status: str, guess: Micros | None) -> Micros | None:
    """Return when the present status of the storage began: by the event log, the newest first, else by the polls.

    The guess is when a poll first had the status; None where none did.
    """
    runs = tuple(_runs(_oldest_first(events), lambda event: event.storage_status))
    if not runs or runs[-1].status != status:
        return guess
    # A log that begins with it has no beginning of it: that was not later than the log's, nor than the first poll that had it.
    return runs[-1].at if len(runs) > 1 or guess is None else min(runs[-1].at, guess)


def _oldest_first(events: Sequence[Event]) -> Sequence[Event]:
    # Those of one transaction have the same instant; Feldera lists the later one first.
    return sorted(events, key=lambda event: event.recorded_at, reverse=True)[::-1]


def _runs(ordered: Sequence[Event], reader: Callable[[Event], str | None]) -> Iterator[_Run]:
    last = None
    for event in ordered:
        status = reader(event)
        # While a pipeline is provisioned it has no desired runtime status. After a stop, a start was requested; else the
        # status before is still desired.
        if status == REQUESTED and last != "Stopped":
            continue
        if status is not None and status != last:
            yield _Run(from_datetime(event.recorded_at), status)
            last = status


def _changes(
    name: str, dimension: Dimension, runs: Sequence[_Run], now: Micros
) -> Iterator[tuple[Micros, Change]]:
    for index, (before, after) in enumerate(pairwise(runs)):
        # The first run began before the log, at an unknown time.
        lasted = formatting.duration(max(0, after.at - before.at) / SECOND) if index else ""
        yield (
            after.at,
            Change(
                at=formatting.moment(after.at, now),
                what=name,
                before=_style(dimension, before.status),
                after=_style(dimension, after.status),
                lasted=lasted,
            ),
        )


def _style(dimension: Dimension, status: str) -> StatusStyle:
    return StatusStyle(REQUESTED, "transient") if status == REQUESTED else style_of(dimension, status)


def _errors(ordered: Sequence[Event], now: Micros) -> Iterator[tuple[Micros, Change]]:
    looks = {True: StatusStyle("set", "bad"), False: StatusStyle("none", "idle")}
    for before, after in pairwise(ordered):
        if before.deployment_has_error != after.deployment_has_error:
            at = from_datetime(after.recorded_at)
            marks = looks[before.deployment_has_error], looks[after.deployment_has_error]
            yield at, Change(formatting.moment(at, now), _ERRORS, *marks, "")


def _ticks(span: str, start: Micros, now: Micros) -> Iterator[tuple[float, str]]:
    """Yield the places of round times in UTC, in percent, with their labels: the time of day, or the day."""
    step = _TICKS[span] * SECOND
    for at in range(-(-start // step) * step, now, step):
        if (percent := _percent(at, start, now)) <= _LAST_TICK:
            when = to_datetime(at)
            yield percent, f"{when:%b} {when.day}" if _TICKS[span] >= _DAY else f"{when:%H:%M}"


def _fitting(last: Micros, now: Micros) -> str:
    """Return the shortest span of which the time since the last transition takes at most `_FULL`."""
    age = (now - last) / SECOND
    return next((span for span, seconds in SPANS.items() if age <= _FULL * seconds), "7d")


def _segments(
    dimension: Dimension, runs: Sequence[_Run], start: Micros, now: Micros
) -> Iterator[LaneSegment]:
    ends = [run.at for run in runs[1:]] + [now]
    for run, end in zip(runs, ends, strict=True):
        if end < start or run.at > now:
            continue
        x, till = _percent(max(run.at, start), start, now), _percent(min(end, now), start, now)
        lasted = formatting.duration(max(0, end - run.at) / SECOND)
        width = round(till - x, 2)
        yield LaneSegment(
            x=x,
            width=max(0.15, width),
            mark=style_of(dimension, run.status),
            fits=_fits(run.status, width),
            title=f"{run.status} for {lasted}, from {formatting.moment(run.at, now).text} UTC",
        )


def _fits(label: str, width: float) -> str:
    """Return the smallest screen on which a label fits into a segment; empty if there is none."""
    room = _LETTER * len(label) + _PADDING
    return next((screen for screen, pixels in _SCREENS.items() if room <= pixels * width / 100), "")


def _percent(at: Micros, start: Micros, now: Micros) -> float:
    return round(100 * (at - start) / max(1, now - start), 2)
