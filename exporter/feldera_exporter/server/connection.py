"""The connection: uvicorn's protocol of HTTP, which writes pieces unjoined and waits for nobody without end.

uvicorn waits for ever for a request's head, of whatever length, and for whoever does not read what was written to him
before his connection was closed: each keeps a file descriptor, and what is not read is kept in memory.
"""

import asyncio
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from feldera_exporter.exposition.piece import Piece

SLOWEST_REQUEST: Final = 10.0
"""Seconds within which the head of a request must be there."""
LARGEST_REQUEST: Final = 64 * 1024
"""Bytes of a request, beside what comes with its first byte: nothing that is asked here is nearly as long."""
LINGER: Final = 10.0
"""Seconds for which a connection that was closed may go on reading the end of its answer."""


class Connection(HttpToolsProtocol):
    """Speaks HTTP on one connection."""

    _waiting: asyncio.TimerHandle | None = None
    _size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, on a transport that takes pieces."""
        super().connection_made(cast(asyncio.Transport, _Transport(transport, self)))
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in a part of a request, or several requests."""
        self._size += len(data)
        super().data_received(data)
        if self._size > LARGEST_REQUEST:
            self.transport.abort()
        elif self.idle:
            self._wait()

    def on_message_begin(self) -> None:
        """Note that a request begins."""
        self._size = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Answer the request."""
        self._wait_no_more()
        super().on_headers_complete()

    @property
    def idle(self) -> bool:
        """Whether no answer is owed."""
        return self._answer is None or self._answer.response_complete

    @property
    def interrupted(self) -> bool:
        """Whether the answer that was begun last is not whole."""
        answer = self._answer
        return answer is not None and answer.response_started and not answer.response_complete

    @property
    def _answer(self) -> RequestResponseCycle | None:
        # Before the first request there is none, whatever its annotation says.
        return self.cycle

    def _wait(self) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(SLOWEST_REQUEST, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


class _Transport:
    """A transport to which pieces can be written too, and which does not outlive its closing for long.

    ASGI knows bodies of bytes alone, and its extensions files alone. uvicorn asks of a body only how long it is, and hands
    it to the transport, where the parts are gathered by the system.
    """

    def __init__(self, transport: asyncio.Transport, connection: Connection) -> None:
        self._transport = transport
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes | Piece) -> None:
        """Write in one go."""
        if isinstance(data, Piece):
            self._transport.writelines(data.parts)
        else:
            self._transport.write(data)

    def close(self) -> None:
        """Close: at once where the answer stays without its end, else when it was read, or not within a while."""
        if self._connection.interrupted:
            self._transport.abort()
            return
        self._transport.close()
        self._connection.loop.call_later(LINGER, self._transport.abort)
