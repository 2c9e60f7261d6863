"""Which pipelines' events to read at a poll: those whose row moved, a few at a time, none forgotten."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from feldera_exporter.feldera.wire import Row
from feldera_exporter.history.history import History
from feldera_exporter.history.row_cursor import cursor, event_fields

Pending = Mapping[str, int]
"""Pipelines (by id) whose log must be read, the longest waiting first, and up to when each is known to be complete:
microseconds by Feldera's clock."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one poll reads.

    Attributes:
        to_read: the pipelines whose events are to be read now.
        backlog: those that must wait for a later poll.
    """

    to_read: Pending
    backlog: Pending


def changed_rows(previous: Mapping[str, Row], present: Mapping[str, Row]) -> list[str]:
    """Return the ids of the pipelines whose row is not the very same object as in the previous list."""
    return [one for one, row in present.items() if previous.get(one) is not row]


def with_new_events(
    previous: Mapping[str, Row], present: Mapping[str, Row], among: Iterable[str]
) -> list[str]:
    """Return the ids of the pipelines that are new or whose log has grown since the previous list, of some of them."""
    return [
        one
        for one in among
        if (before := previous.get(one)) is None or event_fields(before) != event_fields(present[one])
    ]


def unsettled(
    histories: Mapping[str, History], rows: Mapping[str, Row], suspects: Iterable[str]
) -> list[str]:
    """Return the ids of the suspects whose history does not agree with their row: after a restart, all are suspects."""
    return [one for one in suspects if histories[one].cursor != cursor(rows[one])]


def plan(
    due: Iterable[str],
    pending: Pending,
    present: Collection[str],
    readable: Collection[str],
    confirmed_until: int,
    budget: int,
) -> Plan:
    """Choose whose events to read at this poll.

    Args:
        due: the ids that `unsettled` found.
        pending: what earlier polls left.
        present: the ids listed now; others are forgotten.
        readable: those of them whose log can be asked for; the others wait until it can be.
        confirmed_until: the instant of the last poll by Feldera's clock: a pipeline not pending was complete then.
        budget: how many to read at most.
    """
    waiting = {one: until for one, until in pending.items() if one in present}
    for one in due:
        waiting.setdefault(one, confirmed_until)
    queue = [one for one in waiting if one in readable][:budget]
    to_read = {one: waiting.pop(one) for one in queue}
    return Plan(to_read=to_read, backlog=waiting)
