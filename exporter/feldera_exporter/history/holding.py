"""When a counter may first move: only after everyone who scrapes has read its first value.

Prometheus' `increase()` knows nothing of a counter before its first sample: what that sample already holds is lost.
So a new counter stays at 0, and one restored after a restart at its stored value, until it was read.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

SEEN_WITHIN: Final = 300.0
"""For how many seconds after a scrape its scraper is waited for."""

AT_MOST: Final = 120.0
"""For how many seconds a counter is held at most."""


@dataclass(frozen=True, slots=True)
class Held:
    """Things that were first published together.

    Attributes:
        things: their names.
        sequence: the number of the snapshot they were first in.
        since: when that was, seconds of a monotonic clock.
    """

    things: frozenset[Hashable]
    sequence: int
    since: float


@dataclass(frozen=True, slots=True)
class Holding:
    """Who reads, and what is held for them; all times are seconds of one monotonic clock.

    Attributes:
        readers: for each scraper the time of its last scrape and the number of the newest snapshot it read fully.
        held: what may not move yet, the oldest first.
    """

    readers: Mapping[str, tuple[float, int]]
    held: tuple[Held, ...] = ()

    def holds(self) -> frozenset[Hashable]:
        """Return everything that may not move now."""
        return frozenset().union(*(held.things for held in self.held))


EMPTY: Final = Holding(readers={})


def publish(holding: Holding, things: Iterable[Hashable], sequence: int, now: float) -> Holding:
    """Hold things whose first value is in the snapshot of that number, which is published now."""
    new = frozenset(things)
    return replace(holding, held=(*holding.held, Held(new, sequence, now))) if new else holding


def read(holding: Holding, scraper: str, sequence: int, now: float) -> Holding:
    """Note that a scraper has read the whole of a snapshot; scrapers not seen for long are forgotten."""
    _, before = holding.readers.get(scraper, (now, sequence))
    kept = {name: (at, newest) for name, (at, newest) in holding.readers.items() if now - at <= SEEN_WITHIN}
    return replace(holding, readers={**kept, scraper: (now, max(before, sequence))})


def release(holding: Holding, now: float) -> tuple[Holding, frozenset[Hashable]]:
    """Return what may move from now on, and the holding without it.

    The cost depends on how many snapshots brought something new in the last two minutes, not on the pipelines.
    """
    seen = [newest for at, newest in holding.readers.values() if now - at <= SEEN_WITHIN]
    through = min(seen, default=-1)
    kept: list[Held] = []
    freed: set[Hashable] = set()
    for held in holding.held:
        if held.sequence > through and now - held.since < AT_MOST:
            kept.append(held)
        else:
            freed |= held.things
    return (replace(holding, held=tuple(kept)) if freed else holding), frozenset(freed)
