"""Work for readers alone, in a few threads for which the end of the program does not wait.

Rendering and compressing a large fleet may take longer than the end may. A pool's threads are joined at the end,
whatever they are at; these are not. They are kept, since each new thread may cost an arena of memory.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Final, TypeVar, TypeVarTuple

_Arguments = TypeVarTuple("_Arguments")
_Result = TypeVar("_Result")

WAITING: Final = 32
"""Readers that wait for a thread at most; to refuse one is better than to keep all of them waiting."""


class BusyError(Exception):
    """So many readers wait already that another one would wait too long."""


class WorkerThreads:
    """Some threads that do one piece of work after the other.

    Args:
        threads: how many at most; more of them would only wait for each other.
    """

    def __init__(self, threads: int) -> None:
        self._queue: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._missing = threads
        self._guard = Lock()
        self._waiting = 0

    async def do(self, work: Callable[[*_Arguments], _Result], *arguments: *_Arguments) -> _Result:
        """Do something in a thread, and return what comes of it; who is cancelled before it begins has it not done.

        Raises:
            BusyError: too many wait already.
        """
        if self._waiting >= WAITING:
            raise BusyError
        loop = asyncio.get_running_loop()
        done: asyncio.Future[_Result] = loop.create_future()

        def run() -> None:
            if done.cancelled():
                return
            # Where the loop has ended there is no reader any more.
            with suppress(RuntimeError):
                try:
                    result = work(*arguments)
                except Exception as error:  # noqa: BLE001 - it concerns the reader
                    loop.call_soon_threadsafe(_settle, done, done.set_exception, error)
                else:
                    loop.call_soon_threadsafe(_settle, done, done.set_result, result)

        self._queue.put(run)
        self._start_thread()
        self._waiting += 1
        try:
            return await done
        finally:
            self._waiting -= 1

    def _start_thread(self) -> None:
        with self._guard:
            if self._missing:
                Thread(target=_work, args=(self._queue,), name="reader", daemon=True).start()
                self._missing -= 1


def _work(queue: SimpleQueue[Callable[[], None]]) -> None:
    while True:
        queue.get()()


def _settle(done: "asyncio.Future[Any]", settle: Callable[[Any], None], value: object) -> None:
    if not done.cancelled():
        settle(value)


METRICS: Final = WorkerThreads(2)
"""The threads that render and compress the metrics: one for each of the two formats that scrapers ask for."""

PAGES: Final = WorkerThreads(1)
"""The thread that renders pages for people: it takes the interpreter from the polls for as long as it works."""
