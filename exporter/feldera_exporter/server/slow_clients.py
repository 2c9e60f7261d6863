"""The connection: uvicorn's protocol of HTTP, which waits for no client without end.

By itself uvicorn waits for ever for the first request of a connection, and for whoever does not read an answer. Each such
client keeps a file descriptor, and a part of the answer in memory.
"""

import asyncio
import resource
from typing import Final

from uvicorn.protocols.http.h11_impl import H11Protocol

LONGEST: Final = 10.0
"""Seconds for which a client is waited for, to send the head of a request or to read on: Prometheus itself waits no longer
for a whole scrape."""


def _most_clients() -> int:
    """Return how many clients may be connected: well below the limit of file descriptors, which polls and the store need."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 512 if limit == resource.RLIM_INFINITY else max(8, min(512, limit // 3))


MOST: Final = _most_clients()
"""Connections at once at most: for another one, that of the client which has been waited for longest is closed."""


class BoundedConnection(H11Protocol):
    """Speaks HTTP on one connection; the size of a request's head is limited by uvicorn."""

    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._watch()
        if len(self.connections) > MOST:
            self._make_room()

    def _make_room(self) -> None:
        """Close the connection of the client that has been waited for longest; the new one where none is waited for."""
        waits = {each: each._limit.when() for each in self.connections if each._limit is not None}  # type: ignore[union-attr]  # noqa: SLF001
        oldest = min(waits, key=waits.__getitem__)
        # It is closed a moment later; until then another new client must not choose it again.
        self.connections.discard(oldest)
        oldest._unlimit()  # type: ignore[union-attr]  # noqa: SLF001
        oldest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        super().connection_lost(exc)
        self._unlimit()

    def handle_events(self) -> None:
        """Take in what the client sent."""
        super().handle_events()
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for the next request, or until the end of the answer is read where the connection is closed."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """Wait until the client reads on."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """Go on with the answer."""
        super().resume_writing()
        self._watch()

    def _watch(self) -> None:
        """Limit the time for as long as it is the client that is waited for."""
        # Before the first request there is no cycle, whatever its annotation says.
        if not (self.flow.write_paused or getattr(self.cycle, "response_complete", True)):
            self._unlimit()
        elif self._limit is None:
            self._limit = self.loop.call_later(LONGEST, self.transport.abort)

    def _unlimit(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None
