"""Work aside: in a thread, so that the event loop goes on, and never beyond the end of who asked for it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

_FILES: Final = ThreadPoolExecutor(1, thread_name_prefix="file")
"""The store takes one after the other; work for readers must not be in its way."""

_THINKERS: Final = ThreadPoolExecutor(2, thread_name_prefix="thinker")
"""More of them would only wait for each other, and let files and scrapes wait for all of them."""


async def run_io(
    work: Callable[_Arguments, _Result], *arguments: _Arguments.args, **more: _Arguments.kwargs
) -> _Result:
    """Do something with a file, and return what comes of it."""
    loop = asyncio.get_running_loop()
    return await _whole(loop.run_in_executor(_FILES, partial(work, *arguments, **more)))


async def run_cpu(
    work: Callable[_Arguments, _Result], *arguments: _Arguments.args, **more: _Arguments.kwargs
) -> _Result:
    """Do something that takes long by itself, and return what comes of it."""
    loop = asyncio.get_running_loop()
    return await _whole(loop.run_in_executor(_THINKERS, partial(work, *arguments, **more)))


async def _whole(work: "asyncio.Future[_Result]") -> _Result:
    """Wait for a thread; cancelled, wait as well: whoever goes on with the same values must not begin before its end."""
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait((work,))
        raise
    finally:
        # An error knows this frame, and the work knows the error: the list that it is about would be garbage found late.
        del work
