"""Runs functions in threads, so that the event loop goes on; a task that is cancelled still waits for its function."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

_FILE_THREADS: Final = ThreadPoolExecutor(1, thread_name_prefix="file")
"""The store has one writer; rendering must not delay it."""

_CPU_THREADS: Final = ThreadPoolExecutor(2, thread_name_prefix="cpu")
"""More threads would only wait for each other, and delay the store and scrapes."""


async def run_io(
    work: Callable[_Arguments, _Result], *arguments: _Arguments.args, **more: _Arguments.kwargs
) -> _Result:
    """Run a function that reads or writes files, and return its result."""
    return await _run(_FILE_THREADS, partial(work, *arguments, **more))


async def run_cpu(
    work: Callable[_Arguments, _Result], *arguments: _Arguments.args, **more: _Arguments.kwargs
) -> _Result:
    """Run a function that computes for long, and return its result."""
    return await _run(_CPU_THREADS, partial(work, *arguments, **more))


async def _run(threads: ThreadPoolExecutor, work: Callable[[], _Result]) -> _Result:
    """Return a thread's result; if cancelled, wait for its end first, since others may use the same values afterwards."""
    running = asyncio.get_running_loop().run_in_executor(threads, work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait((running,))
        raise
    finally:
        # Break the cycle of frame, future and error, which would keep a whole list in memory until a collection.
        del running
