"""The connection: uvicorn's protocol of HTTP, which waits for no client without end.

By itself uvicorn waits for ever for the first request of a connection, and for whoever does not read an answer. Each such
client keeps a file descriptor, and a part of the answer in memory.
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.h11_impl import H11Protocol

LONGEST: Final = 10.0
"""Seconds for which a client is waited for, to send the head of a request or to read on: Prometheus itself waits no longer
for a whole scrape."""


class BoundedConnection(H11Protocol):
    """Speaks HTTP on one connection; the size of a request's head is limited by uvicorn."""

    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._watch()

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
