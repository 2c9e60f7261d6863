"""The limits of idle and slow clients: a timeout, and a number of connections.

uvicorn has no timeout for the first request of a connection, nor for a client that does not read its answer. Each such
client keeps a file descriptor, and a part of the answer in memory.
"""

import asyncio
import resource
from typing import Final

from uvicorn.protocols.http.h11_impl import H11Protocol

LONGEST: Final = 10.0
"""Seconds that a client has to send the head of a request, or to read on. Prometheus has as long for a whole scrape."""


def _max_connections() -> int:
    """Return a number well below the limit of file descriptors, which polls and the store need as well."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 512 if limit == resource.RLIM_INFINITY else max(8, min(512, limit // 3))


MAX_CONNECTIONS: Final = _max_connections()
"""A new connection beyond this number closes the one that has been idle for longest."""


class BoundedConnection(H11Protocol):
    """A connection that is closed when the server waits too long for the client; uvicorn limits the size of a head."""

    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._watch()
        if len(self.connections) > MAX_CONNECTIONS:
            self._close_oldest()

    def _close_oldest(self) -> None:
        """Close the connection that has been idle for longest; this one where no other is idle."""
        timeouts = {each: each._limit.when() for each in self.connections if each._limit is not None}  # type: ignore[union-attr]  # noqa: SLF001
        oldest = min(timeouts, key=timeouts.__getitem__)
        # It is closed a moment later; until then another new connection must not choose it again.
        self.connections.discard(oldest)
        oldest._unlimit()  # type: ignore[union-attr]  # noqa: SLF001
        oldest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timeout."""
        super().connection_lost(exc)
        self._unlimit()

    def handle_events(self) -> None:
        """Handle what the client sent."""
        super().handle_events()
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for the next request, or until the client has read all."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """Wait until the client reads on."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """Continue the answer."""
        super().resume_writing()
        self._watch()

    def _watch(self) -> None:
        """Start the timeout where the server waits for the client, else stop it."""
        # Before the first request there is no cycle, though its annotation has no None.
        if not (self.flow.write_paused or getattr(self.cycle, "response_complete", True)):
            self._unlimit()
        elif self._limit is None:
            self._limit = self.loop.call_later(LONGEST, self.transport.abort)

    def _unlimit(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None
