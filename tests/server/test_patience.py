"""Who reads nothing is let go."""

import asyncio

import pytest

from feldera_exporter.server import patience
from feldera_exporter.server.patience import Patience


async def read(known: Patience, snapshot: int | None, seconds: float, pause: float) -> bool:
    """Read for so many seconds, with a pause between two pieces; return whether it was allowed."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    try:
        async with known.reading(snapshot) as progressed:
            while loop.time() < ends:
                await asyncio.sleep(pause)
                progressed()
    except TimeoutError:
        return False
    return True


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LONGEST", 0.6)
    monkeypatch.setattr(patience, "SHORTEST", 0.1)


def test_who_makes_progress_may_read_for_ever() -> None:
    """Slow is not still."""
    assert asyncio.run(read(Patience(), 1, 1.5, 0.2))


def test_who_stands_still_is_let_go() -> None:
    """Whether it holds a snapshot or not."""

    async def both() -> list[bool]:
        known = Patience()
        return list(await asyncio.gather(read(known, 1, 1, 5), read(known, None, 1, 5)))

    assert asyncio.run(both()) == [False, False]


def test_few_snapshots_are_held_by_readers_that_stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """A newcomer ends the wait for readers of a snapshot that is older than the last two."""
    monkeypatch.setattr(patience, "LONGEST", 60.0)

    async def one_per_snapshot() -> list[bool]:
        known, tasks = Patience(), []
        for snapshot in range(6):
            tasks.append(asyncio.create_task(read(known, snapshot, 60, 60)))
            await asyncio.sleep(0.2)
        async with asyncio.timeout(20):
            ended = [await task for task in tasks[:4]]
        assert not any(task.done() for task in tasks[4:])
        for task in tasks[4:]:
            task.cancel()
        return ended

    assert asyncio.run(one_per_snapshot()) == [False] * 4


def test_a_slow_reader_of_an_old_snapshot_goes_on() -> None:
    """It is let go for standing still, not for being late."""

    async def slow_and_new() -> list[bool]:
        known = Patience()
        slow = asyncio.create_task(read(known, 0, 0.8, 0.05))
        others = []
        for snapshot in range(1, 5):
            await asyncio.sleep(0.1)
            others.append(asyncio.create_task(read(known, snapshot, 0.2, 0.05)))
        return await asyncio.gather(slow, *others)

    assert all(asyncio.run(slow_and_new()))
