"""The transactions that wrote an event log."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import msgspec

from feldera_exporter.history.observation import Observation
from feldera_exporter.micros import Micros

_UUID7: Final = re.compile("([0-9a-f]{8})-([0-9a-f]{4})-7", re.IGNORECASE)


class Transaction(msgspec.Struct, frozen=True, gc=False):
    """The events of one transaction: they share `recorded_at`, and became visible together.

    Attributes:
        events: by id.
        at: when it began, in microseconds, by the database's clock.
        made: the millisecond in which its first id was made, by the clock of its process, or in which it began if that
            is later or the id is no UUIDv7: that clock is behind the database's.
    """

    events: tuple[Observation, ...]
    at: Micros
    made: int

    @property
    def first(self) -> Observation:
        """The first event."""
        return self.events[0]

    @property
    def last(self) -> Observation:
        """The last event: what holds after it."""
        return self.events[-1]


def by_id(observations: Iterable[Observation]) -> list[Transaction]:
    """Return the transactions of some events in the order of their ids: in that in which they got the row's lock."""
    events_at: defaultdict[int, list[Observation]] = defaultdict(list)
    for event in sorted(observations, key=lambda event: event.event_id or ""):
        events_at[event.at].append(event)
    log = [Transaction(tuple(events), at, _made(events[0])) for at, events in events_at.items()]
    return sorted(log, key=lambda transaction: (transaction.made, transaction.first.event_id or ""))


def _made(event: Observation) -> Micros:
    uuid = _UUID7.match(event.event_id or "")
    began = event.at // 1000
    return max(began, int(uuid[1] + uuid[2], 16)) if uuid else began
