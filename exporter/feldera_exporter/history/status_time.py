"""The time that a pipeline spent in each combined status: exact intervals, published so that no counter falls."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from feldera_exporter.feldera.statuses import DEPLOYMENT
from feldera_exporter.history import bounded_labels
from feldera_exporter.micros import Micros


class StatusTime(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Time by combined status; all values are microseconds, instants by Feldera's clock.

    Attributes:
        status: the label of the combined status that holds now.
        since: when its interval began; not before an instant that another status was already credited with.
        began: when the pipeline's watch began.
        closed: the closed intervals, summed by status.
        held: what was published of a status beyond what the log later proved, until the exact value catches up.
        credited: the instant up to which the open interval was published when the log was last folded.
        unwatched: what lies between `began` and now but in a gap of the log.
    """

    status: str
    since: Micros
    began: int
    closed: Mapping[str, Micros] = {}
    held: Mapping[str, Micros] = {}
    credited: Micros = 0
    unwatched: Micros = 0


def begin(status: str, at: Micros) -> StatusTime:
    """Return the time of a pipeline that is watched from an instant on."""
    return StatusTime(status=status, since=at, began=at, credited=at)


def enter(time: StatusTime, status: str, at: Micros) -> StatusTime:
    """Close the open interval at the instant another status began.

    A transaction that waited for the row's lock started before its predecessor and yet follows it: its instant lies
    before the open interval, which then counts as 0 and passes its start on.
    """
    label = _label(time, status)
    if label == time.status:
        return time
    end = max(at, time.since)
    return msgspec.structs.replace(time, status=label, since=end, closed=_closed(time, end))


def skip(time: StatusTime, status: str, until: Micros, at: Micros) -> StatusTime:
    """Close the open interval where a gap of the log begins, and open one where the log begins again.

    Which statuses held in between is not known, so that time is credited to none.
    """
    start = max(at, time.since)
    end = min(max(until, time.since), start)
    return msgspec.structs.replace(
        time,
        status=_label(time, status),
        since=start,
        closed=_closed(time, end),
        unwatched=time.unwatched + start - end,
    )


def exact(time: StatusTime, as_of: Micros) -> dict[str, Micros]:
    """Return the time in each status, the open interval up to `as_of`; it sums to `watched`."""
    return _closed(time, max(as_of, time.since))


def seconds(time: StatusTime, as_of: Micros) -> dict[str, Micros]:
    """Return the microseconds to publish for each status: exact, but for no status less than was published before.

    An `as_of` older than the one last published is taken as that one. The values sum to `watched`, except while one is
    held because the log later shortened an interval that was already published.
    """
    values = exact(time, max(as_of, time.credited))
    for status, published in time.held.items():
        values[status] = max(values.get(status, 0), published)
    return values


@dataclass(frozen=True, slots=True)
class Growth:
    """How the published time in the present status grows, in microseconds: it is `max(as_of + offset, floor)`.

    So a poll need only shift it.

    Attributes:
        offset: what was spent in the status before, minus when it began.
        floor: what was published already, or was spent when it began.
    """

    offset: Micros
    floor: Micros

    def at(self, as_of: Micros) -> Micros:
        """Return the time to publish at an instant, in microseconds; it agrees with `seconds`."""
        return max(as_of + self.offset, self.floor)


def growth(time: StatusTime) -> Growth:
    """Return how the time in the present status grows."""
    offset = time.closed.get(time.status, 0) - time.since
    return Growth(offset, max(max(time.since, time.credited) + offset, time.held.get(time.status, 0)))


def watched(time: StatusTime, as_of: Micros) -> Micros:
    """Return the time during which it was known which status held: what `exact` sums to."""
    return max(as_of, time.since) - time.began - time.unwatched


def hold(before: StatusTime, after: StatusTime, published: Micros) -> StatusTime:
    """Keep what was published before a fold from falling after it.

    Args:
        before: the time as published.
        after: the time by the log as it is now.
        published: the as-of instant with which `before` was last published.
    """
    credited = max(before.credited, published)
    proven = exact(after, credited)
    shown = seconds(before, credited)
    held = {status: value for status, value in shown.items() if value > proven.get(status, 0)}
    return msgspec.structs.replace(after, held=held, credited=credited)


def _label(time: StatusTime, status: str) -> str:
    return bounded_labels.label(status, DEPLOYMENT.statuses, {time.status, *time.closed, *time.held})


def _closed(time: StatusTime, end: Micros) -> dict[str, Micros]:
    closed = dict(time.closed)
    if end > time.since:
        closed[time.status] = closed.get(time.status, 0) + end - time.since
    return closed
