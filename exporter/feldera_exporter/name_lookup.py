"""Looks up the addresses of host names: one look-up per name at a time, in a thread that does not delay the program's end.

With a name server that does not respond, a look-up may take minutes; in a shared pool it would use up the threads.
"""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import Future
from threading import Thread
from typing import Final

Found = tuple[socket.AddressFamily, str]
"""The family of an address, and the address."""

_running: Final[dict[str, Future[Sequence[Found]]]] = {}
"""The running look-ups, by name."""


async def addresses(name: str) -> Sequence[Found]:
    """Return the present addresses of a name, each once, in the resolver's order.

    Raises:
        OSError: the name cannot be resolved.
        UnicodeError: the name is invalid.
    """
    return await asyncio.wrap_future(_running.get(name) or _look_up(name))


def _look_up(name: str) -> Future[Sequence[Found]]:
    started: Future[Sequence[Found]] = Future()
    # It cannot be cancelled any more, since several tasks may wait for it.
    started.set_running_or_notify_cancel()
    Thread(target=_run, args=(name, started), name="look-up", daemon=True).start()
    # Only after the thread has started, which may fail.
    _running[name] = started
    # Before a task gets the result, so that a later call starts another look-up.
    started.add_done_callback(lambda _: _running.pop(name, None))
    return started


def _run(name: str, started: Future[Sequence[Found]]) -> None:
    try:
        found = _resolved(name)
    except Exception as error:  # noqa: BLE001 - it is raised in the waiting tasks
        started.set_exception(error)
    else:
        started.set_result(found)


def _resolved(name: str) -> Sequence[Found]:
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))
