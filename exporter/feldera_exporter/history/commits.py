"""The transactions that wrote an event log: which events each wrote, when it began, and when it made their ids."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from feldera_exporter.history.observation import Observation

Commit = list[Observation]
"""The events of one transaction, by id: they share `recorded_at`, and became visible together."""

_UUID7: Final = re.compile("([0-9a-f]{8})-([0-9a-f]{4})-7", re.IGNORECASE)


def by_time(observations: Iterable[Observation]) -> list[Commit]:
    """Return the transactions of some events in the order in which they began."""
    at: defaultdict[int, Commit] = defaultdict(list)
    for one in sorted(observations, key=lambda one: one.event_id or ""):
        at[one.at].append(one)
    return [at[instant] for instant in sorted(at)]


def began(commit: Commit) -> int:
    """Return the millisecond in which a transaction began, by the database's clock."""
    return commit[0].at // 1000


def made(commit: Commit) -> int:
    """Return the millisecond in which a transaction's first id was made, after it began.

    An id that seems older than `recorded_at` comes from a clock that is behind the database's.
    """
    return max(began(commit) + lead(commit), began(commit))


def lead(commit: Commit) -> int:
    """Return how many milliseconds after the transaction's beginning its id was made, by the clock of its process.

    That is how long it waited for the lock, and how far its process's clock is ahead of the database's; below 0 where
    that clock is behind. 0 where the id is no UUIDv7.
    """
    uuid = _UUID7.match(commit[0].event_id or "")
    return int(uuid[1] + uuid[2], 16) - began(commit) if uuid else 0


def by_id(commit: Commit) -> tuple[int, str]:
    """Return by what transactions are sorted into the order in which they got the row's lock."""
    return made(commit), commit[0].event_id or ""
