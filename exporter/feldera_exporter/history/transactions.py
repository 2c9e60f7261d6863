"""The transactions that wrote an event log."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import msgspec

from feldera_exporter.history.observation import Observation

_UUID7: Final = re.compile("([0-9a-f]{8})-([0-9a-f]{4})-7", re.IGNORECASE)


class Transaction(msgspec.Struct, frozen=True, gc=False):
    """The events of one transaction: they share `recorded_at`, and became visible together.

    Attributes:
        events: by id.
        at: when it began, in microseconds, by the database's clock.
        lead: how many milliseconds later its first id was made, by the clock of its process. That is how long it waited
            for the lock, and how far its process's clock is ahead of the database's; below 0 where that clock is
            behind. 0 where the id is no UUIDv7.
    """

    events: tuple[Observation, ...]
    at: int
    lead: int

    @property
    def first(self) -> Observation:
        """The first event."""
        return self.events[0]

    @property
    def last(self) -> Observation:
        """The last event: what holds after it."""
        return self.events[-1]

    @property
    def made(self) -> int:
        """The millisecond in which its first id was made.

        An id that seems older than `recorded_at` comes from a clock that is behind the database's.
        """
        return self.at // 1000 + max(self.lead, 0)


def by_time(observations: Iterable[Observation]) -> list[Transaction]:
    """Return the transactions of some events in the order in which they began."""
    at: defaultdict[int, list[Observation]] = defaultdict(list)
    for event in sorted(observations, key=lambda event: event.event_id or ""):
        at[event.at].append(event)
    return [Transaction(tuple(events), instant, _lead(events[0])) for instant, events in sorted(at.items())]


def by_id(transaction: Transaction) -> tuple[int, str]:
    """Return the sort key of transactions by their ids."""
    return transaction.made, transaction.first.event_id or ""


def _lead(event: Observation) -> int:
    uuid = _UUID7.match(event.event_id or "")
    return int(uuid[1] + uuid[2], 16) - event.at // 1000 if uuid else 0
