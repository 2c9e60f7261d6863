"""uvicorn's protocol with one thing more: the body of a message may be a piece, whose parts are written unjoined.

ASGI knows bodies of bytes alone, and its extensions files alone. uvicorn asks of a body only how long it is, and hands it
to the transport, where the parts are gathered by the system.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from feldera_exporter.exposition.piece import Piece


class Gathering(HttpToolsProtocol):
    """Speaks HTTP on one connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin on a transport that takes pieces."""
        super().connection_made(cast(asyncio.Transport, _Gatherer(transport)))


class _Gatherer:
    """A transport to which pieces can be written too."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes | Piece) -> None:
        """Write in one go."""
        if isinstance(data, Piece):
            self._transport.writelines(data.parts)
        else:
            self._transport.write(data)
