"""Work that nobody waits for at the end."""

import asyncio
import threading
import time

import pytest

from feldera_exporter.server.worker_threads import MOST, WorkerThreads


def test_what_comes_of_it_is_returned() -> None:
    """A result, and an error as it was raised."""

    async def both() -> int:
        daemons = WorkerThreads()
        with pytest.raises(ValueError, match="no number"):
            await daemons.do(int, "no number")
        return await daemons.do(int, "17")

    assert asyncio.run(both()) == 17


def test_the_end_does_not_wait() -> None:
    """Whoever asked is gone, the loop is closed, and what comes of it later harms nobody."""
    go_on, ended = threading.Event(), threading.Event()

    def work() -> None:
        go_on.wait(60)
        ended.set()

    async def asked() -> None:
        task = asyncio.create_task(WorkerThreads().do(work))
        await asyncio.sleep(0.1)
        task.cancel()

    began = time.monotonic()
    asyncio.run(asked())
    assert time.monotonic() - began < 30
    assert not ended.is_set()
    go_on.set()
    assert ended.wait(30)


def test_few_work_at_once() -> None:
    """The others wait for their turn, and whoever gave up takes none."""
    running, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with lock:
            running -= 1

    async def crowd() -> None:
        daemons = WorkerThreads()
        tasks = [asyncio.create_task(daemons.do(work)) for _ in range(3 * MOST)]
        await asyncio.sleep(0)
        tasks[-1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(crowd())
    assert 1 < most <= MOST
