"""Patience with readers: whoever reads nothing any more is let go, sooner where an old snapshot lives on for it alone.

A snapshot is as large as the fleet. Whoever reads it keeps it in memory, so a few readers that stopped at different polls
would hold as many states of the whole fleet.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 10.0
"""Seconds without progress after which a reader is let go: Prometheus itself waits no longer for a whole scrape."""

SHORTEST: Final = 1.0
"""The same for a reader of a snapshot that is older than those that are kept for everybody."""

KEPT: Final = 2
"""Snapshots that are read at once by whoever likes: the newest, and the one before it."""


@dataclass(slots=True)
class _Reader:
    """Somebody who reads now: which snapshot, since when without progress, and what ends that."""

    snapshot: int | None
    since: float
    limit: asyncio.Timeout


class Patience:
    """Knows everybody who is reading."""

    def __init__(self) -> None:
        self._readers: list[_Reader] = []

    @asynccontextmanager
    async def reading(self, snapshot: int | None) -> AsyncIterator[Callable[[], None]]:
        """Let somebody read while the context lasts, and give what to call whenever something was read.

        Args:
            snapshot: the number of the snapshot that is read, None if what is read is small.

        Raises:
            TimeoutError: nothing was read for too long.
        """
        now = asyncio.get_running_loop().time
        async with asyncio.timeout(LONGEST) as limit:
            reader = _Reader(snapshot, now(), limit)
            self._readers.append(reader)
            self._hurry(now())

            def progressed() -> None:
                reader.since = now()
                limit.reschedule(reader.since + LONGEST)

            try:
                yield progressed
            finally:
                self._readers.remove(reader)

    def _hurry(self, now: float) -> None:
        """Let those go who stand still at a snapshot that only they hold."""
        held = sorted({reader.snapshot for reader in self._readers if reader.snapshot is not None})
        old = set(held[:-KEPT])
        for reader in self._readers:
            if reader.snapshot in old and now - reader.since > SHORTEST and not reader.limit.expired():
                reader.limit.reschedule(now)
