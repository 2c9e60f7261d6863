"""The listener: sockets that are bound before anything else starts, and uvicorn on them."""

import asyncio
import contextlib
import os
import re
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Final

import uvicorn

from feldera_exporter.errors import ConfigError, ListenError
from feldera_exporter.server import slow_clients
from feldera_exporter.server.asgi import Asgi
from feldera_exporter.server.slow_clients import MAX_CONNECTIONS, BoundedConnection

_BACKLOG: Final = min(128, MAX_CONNECTIONS)
"""Connections that are accepted at a time at most, before they are counted."""
_PORTS: Final = 65536
_ADDRESS: Final = re.compile(
    r"(?:\[(?P<v6>[0-9a-fA-F:.]+(?:%\w+)?)\]|(?P<host>[^:\[\]\s/]*)):(?P<port>[0-9]{1,5})"
)


def bind(address: str) -> socket.socket:
    """Listen on `host:port`, `:port` (every address) or `[v6]:port`; port 0 takes a free one.

    Raises:
        ConfigError: the address has another form.
        ListenError: it cannot be listened on, in one line that says why.
    """
    match = _ADDRESS.fullmatch(address)
    port = int(match["port"]) if match else _PORTS
    if match is None or port >= _PORTS:
        raise ConfigError(f"--web.listen-address: found {address!r}, expected host:port, :port or [v6]:port")
    host = match["v6"] or match["host"]
    family = socket.AF_INET6 if match["v6"] else socket.AF_INET
    try:
        if not host and socket.has_dualstack_ipv6():
            return socket.create_server(
                ("", port), family=socket.AF_INET6, backlog=_BACKLOG, dualstack_ipv6=True
            )
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError) as error:
        # The errors of name look-ups have negative numbers.
        number = getattr(error, "errno", -1)
        reason = os.strerror(number) if number > 0 else "it is no address or name of this machine"
        raise ListenError(f"cannot listen on {address}: {reason}") from None


@contextlib.asynccontextmanager
async def serving(
    app: Asgi, sockets: Sequence[socket.socket], tls: ssl.SSLContext | None = None
) -> AsyncIterator[None]:
    """Serve an application on bound sockets while the context lasts; then open requests have a second to finish."""
    config = uvicorn.Config(
        app,
        http=BoundedConnection,
        loop="uvloop",
        lifespan="off",
        access_log=False,
        # The application logs its own mistakes; those of clients are not logged.
        log_config=None,
        log_level="critical",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    config.load()
    config.ssl = tls
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=list(sockets)))
    try:
        yield
    finally:
        server.should_exit = True
        await task


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, since the exporter stops its parts in order, and with a limit of handshakes."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections. uvicorn would wait a minute for a handshake, and accept more connections at a time."""
        config = self.config

        def connection() -> BoundedConnection:
            return BoundedConnection(config, self.server_state, self.lifespan.state)

        loop = asyncio.get_running_loop()
        longest = slow_clients.LONGEST if config.ssl is not None else None
        self.servers = [
            await loop.create_server(
                connection, sock=each, ssl=config.ssl, backlog=_BACKLOG, ssl_handshake_timeout=longest
            )
            for each in sockets or ()
        ]
        self.started = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
