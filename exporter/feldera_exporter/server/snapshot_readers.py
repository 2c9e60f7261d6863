"""The readers: who reads which snapshot, so that no more than a few are in memory.

A snapshot is as large as the fleet, and whoever reads it keeps it in memory.
"""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, Final

from feldera_exporter.exposition.chunks import chunks

KEPT: Final = 6
"""Snapshots that are read at a time: at the usual poll interval, a reader has half a minute."""


class SnapshotReaders:
    """The tasks that read snapshots now."""

    def __init__(self) -> None:
        self._snapshots: dict[asyncio.Task[Any] | None, int] = {}

    def read(self, snapshot: int, parts: Sequence[bytes]) -> Iterator[bytes]:
        """Yield the pieces of a snapshot to the present task; tasks that read too old ones are cancelled.

        Args:
            snapshot: its number; a later one is greater.
            parts: its exposition.
        """
        reader = asyncio.current_task()
        self._snapshots[reader] = snapshot
        oldest, *_ = sorted(set(self._snapshots.values()))[-KEPT:]
        for each, number in self._snapshots.items():
            if each is not None and number < oldest:
                each.cancel()
        try:
            yield from chunks(parts)
        finally:
            del self._snapshots[reader]
