"""The timeout of slow clients.

uvicorn has none for the first request of a connection, nor for a client that does not read its answer. Each such client
keeps a file descriptor, and a part of the answer in memory.
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.h11_impl import H11Protocol

LONGEST: Final = 10.0
"""Seconds that a client has to send the head of a request, or to read on. Prometheus has as long for a whole scrape."""


class BoundedConnection(H11Protocol):
    """A connection that is closed when the server waits too long for the client; uvicorn limits the size of a head."""

    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._watch()

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
