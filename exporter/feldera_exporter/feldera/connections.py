"""Connections to the present addresses of a name, with the present certificates; none is used for long."""
# ruff: noqa: ASYNC109 - httpcore's interface has timeouts as arguments

import asyncio
import ipaddress
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore
import httpx

from feldera_exporter import name_lookup
from feldera_exporter.feldera.connection_errors import DatedHandshake

MAX_AGE: Final = 45.0
"""Seconds after which a connection is not used for another request: the addresses of the name and the certificates may
have changed. So both are followed within a minute, however often there are requests."""

PresentTls = Callable[[], ssl.SSLContext]
"""Returns the TLS context of the present certificate files."""


def transport(
    tls: PresentTls | None, limits: httpx.Limits, proxy: str | None = None
) -> httpx.AsyncBaseTransport:
    """Return the transport of a client; `tls` is called for each connection, and None without TLS.

    Raises:
        ConfigError: raised by `tls`.
    """
    context = tls() if tls is not None else None
    made = httpx.AsyncHTTPTransport(
        verify=context or False, trust_env=False, limits=limits, proxy=proxy and httpx.Proxy(proxy)
    )
    # The host and port, without credentials.
    address = urlsplit(proxy).netloc.rpartition("@")[2] if proxy else None
    # httpx has no parameter for the backend.
    made._pool._network_backend = _Backend(context, tls, address)  # noqa: SLF001
    return made


class _Backend(httpcore.AsyncNetworkBackend):
    """Connects to the last address of a name that could be reached, else to its other addresses in turn.

    Args:
        configured: the pool's TLS context, which the present one replaces.
        tls: returns the present TLS context.
        proxy: `host:port` of the proxy, None without one.
    """

    def __init__(self, configured: ssl.SSLContext | None, tls: PresentTls | None, proxy: str | None) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._configured = configured
        self._tls = tls
        self._proxy = proxy
        self._reached = ""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 - like the next, a part of the interface that is never used
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        """Connect; see httpcore."""
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            addresses = await self._addresses(host, timeout)
            inner = await self._first(addresses, port, deadline)
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            if self._proxy is None:
                raise
            raise type(error)(f"the proxy {self._proxy}: {str(error) or 'no connection in time'}") from None
        return _Stream(inner, time.monotonic() + MAX_AGE, self.present)

    def present(self, context: ssl.SSLContext) -> ssl.SSLContext:
        """Return the present context for the pool's; the one for a proxy is returned unchanged."""
        present = self._tls() if self._tls is not None and context is self._configured else context
        present.sslobject_class = DatedHandshake
        return present

    async def _addresses(self, host: str, within: float | None) -> Sequence[str]:
        if _is_address(host):
            return (host,)
        try:
            async with asyncio.timeout(within):
                found = [address for _, address in await name_lookup.addresses(host)]
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"{host} could not be looked up in time") from None
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from None
        # Otherwise a network that drops one family of addresses would delay each connection.
        return sorted(found, key=lambda address: address != self._reached)

    async def _first(
        self, addresses: Sequence[str], port: int, deadline: float | None
    ) -> httpcore.AsyncNetworkStream:
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            timeout = None if deadline is None else max(0.0, deadline - time.monotonic()) / left
            try:
                stream = await self._inner.connect_tcp(address, port, timeout)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if left == 1:
                    raise
            else:
                self._reached = address
                return stream
        raise httpcore.ConnectError("the name has no address")


class _Stream(httpcore.AsyncNetworkStream):
    """A connection that looks closed by the server from an instant of the monotonic clock on, so that the pool opens a new one."""

    def __init__(
        self,
        inner: httpcore.AsyncNetworkStream,
        until: float,
        present: Callable[[ssl.SSLContext], ssl.SSLContext],
    ) -> None:
        self._inner = inner
        self._until = until
        self._present = present

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read; see httpcore."""
        return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write; see httpcore."""
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close; see httpcore."""
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Start TLS; see httpcore."""
        inner = await self._inner.start_tls(self._present(ssl_context), server_hostname, timeout)
        return _Stream(inner, self._until, self._present)

    def get_extra_info(self, info: str) -> Any:
        """Return a property of the connection; httpcore closes an idle one that is readable."""
        if info == "is_readable" and time.monotonic() >= self._until:
            return True
        return self._inner.get_extra_info(info)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
