"""Work for readers alone, in a few threads that nobody waits for when the program ends.

Rendering and compressing a large fleet may take longer than the end may. A pool's threads are joined at the end,
whatever they are at; these are not.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Final, TypeVar, TypeVarTuple

_Arguments = TypeVarTuple("_Arguments")
_Result = TypeVar("_Result")

MOST: Final = 8
"""Threads at once: more of them would only wait for each other."""


class WorkerThreads:
    """The threads of one application."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(MOST)

    async def do(self, work: Callable[[*_Arguments], _Result], *arguments: *_Arguments) -> _Result:
        """Do something in a thread, and return what comes of it."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[_Result] = loop.create_future()

        def returned(result: _Result) -> None:
            if not done.cancelled():
                done.set_result(result)

        def raised(error: Exception) -> None:
            if not done.cancelled():
                done.set_exception(error)

        def run() -> None:
            # Nobody waits any more where the loop has ended.
            with suppress(RuntimeError):
                try:
                    result = work(*arguments)
                except Exception as error:  # noqa: BLE001 - it concerns whoever waits
                    loop.call_soon_threadsafe(raised, error)
                else:
                    loop.call_soon_threadsafe(returned, result)

        async with self._free:
            Thread(target=run, daemon=True).start()
            return await done
