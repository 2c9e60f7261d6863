"""Looks up the addresses of host names: one look-up per name at a time, in a thread that does not delay the program's end.

With a name server that does not respond, a look-up may take minutes; in a shared pool it would use up the threads.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from threading import Lock, Thread
from typing import Final

Found = tuple[socket.AddressFamily, str]
"""The family of an address, and the address."""

_guard: Final = Lock()
_running: Final[dict[str, Future[Sequence[Found]]]] = {}
"""The running look-ups, by name."""


async def addresses(name: str) -> Sequence[Found]:
    """Return the present addresses of a name, each once, in the resolver's order.

    Raises:
        OSError: the name cannot be resolved.
        UnicodeError: the name is invalid.
    """
    return await asyncio.wrap_future(_look_up(name))


def _look_up(name: str) -> Future[Sequence[Found]]:
    with _guard:
        running = _running.get(name)
        if running is not None:
            return running
        started: Future[Sequence[Found]] = Future()
        # It cannot be cancelled any more, since several tasks may wait for it.
        started.set_running_or_notify_cancel()
        Thread(target=_run, args=(name, started), name="look-up", daemon=True).start()
        # Only after the thread has started, which may fail.
        _running[name] = started
    return started


def _run(name: str, started: Future[Sequence[Found]]) -> None:
    settle: Callable[[], None]
    try:
        settle = partial(started.set_result, _resolved(name))
    except Exception as error:  # noqa: BLE001 - it is raised in the waiting tasks
        settle = partial(started.set_exception, error)
    # Before the result is set, so that later calls start another look-up.
    with _guard:
        del _running[name]
    settle()


def _resolved(name: str) -> Sequence[Found]:
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))
