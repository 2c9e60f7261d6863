"""Few snapshots are kept in memory for readers."""

import asyncio
from collections.abc import Sequence

import pytest

from feldera_exporter.exposition.chunks import CHUNK_BYTES
from feldera_exporter.server.snapshot_readers import KEPT, SnapshotReaders

PARTS = (b"x" * CHUNK_BYTES, b"y" * CHUNK_BYTES, b"z")


async def read(readers: SnapshotReaders, snapshot: int, go_on: asyncio.Event) -> int:
    """Read a piece, wait, and read the rest; return how many bytes there were."""
    size = 0
    for piece in readers.read(snapshot, PARTS):
        size += len(piece)
        await go_on.wait()
    return size


def ended(snapshots: Sequence[int]) -> list[bool]:
    """Let somebody begin to read each snapshot, then let all go on; return who was let read to the end."""

    async def run() -> list[bool]:
        readers, go_on = SnapshotReaders(), asyncio.Event()
        tasks = []
        for snapshot in snapshots:
            tasks.append(asyncio.create_task(read(readers, snapshot, go_on)))
            await asyncio.sleep(0)
        go_on.set()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert not readers._snapshots
        return [each == 2 * CHUNK_BYTES + 1 for each in done]

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("snapshots", "whole"),
    [
        (range(KEPT), [True] * KEPT),
        (range(KEPT + 2), [False] * 2 + [True] * KEPT),
        ([0] * 9, [True] * 9),
        ([0, *range(1, KEPT), 0, KEPT], [False, *[True] * (KEPT - 1), False, True]),
        ([9, 1, *range(10, KEPT + 9)], [True, False, *[True] * (KEPT - 1)]),
    ],
)
def test_who_reads_an_old_snapshot_is_let_go(snapshots: Sequence[int], whole: list[bool]) -> None:
    """Once that many newer ones are read, however many read each."""
    assert ended(snapshots) == whole
