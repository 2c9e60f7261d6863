"""The addresses of a name: each name is looked up once at a time, in a thread that the end of the program does not wait for.

A name server that does not answer may hold a look-up for minutes. In a shared pool it would take the threads of all others.
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
"""The look-ups that have not ended, by name."""


async def addresses(name: str) -> Sequence[Found]:
    """Return the present addresses of a name, each once, in the resolver's order.

    Raises:
        OSError: the name cannot be resolved.
        UnicodeError: it is no name.
    """
    return await asyncio.wrap_future(_look_up(name))


def _look_up(name: str) -> Future[Sequence[Found]]:
    with _guard:
        running = _running.get(name)
        if running is not None:
            return running
        started: Future[Sequence[Found]] = Future()
        # From now on it cannot be cancelled: others may wait for it too.
        started.set_running_or_notify_cancel()
        Thread(target=_run, args=(name, started), name="look-up", daemon=True).start()
        # Only where the thread could be started: else it would be running for ever.
        _running[name] = started
    return started


def _run(name: str, started: Future[Sequence[Found]]) -> None:
    settle: Callable[[], None]
    try:
        settle = partial(started.set_result, _resolved(name))
    except Exception as error:  # noqa: BLE001 - it concerns those who wait
        settle = partial(started.set_exception, error)
    # Before the result is known: who asks after it starts another look-up.
    with _guard:
        del _running[name]
    settle()


def _resolved(name: str) -> Sequence[Found]:
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))
