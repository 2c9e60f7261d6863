"""The addresses of Alertmanagers. Each address that a host name resolves to counts as one Alertmanager."""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from feldera_exporter import name_lookup

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """The address of one Alertmanager.

    Attributes:
        url: the configured URL with the IP address in place of the host name, without a slash at its end.
        host: the value of the `Host` header.
        server_name: the name that the server's certificate must have.
        label: `host:port`, as metrics and logs name the Alertmanager.
    """

    url: str
    host: str
    server_name: str
    label: str


class Resolver:
    """Resolves the host name of an Alertmanager's URL."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._port = self._parts.port or _PORTS[self._parts.scheme]

    @property
    def label(self) -> str:
        """`name:port`, the label while no address is known."""
        return _joined(self._parts.hostname or "", self._port)

    async def addresses(self, within: float) -> Sequence[Address]:
        """Return the present addresses, sorted; wait for them so many seconds at most.

        Raises:
            OSError: the name cannot be resolved, or not in time.
            UnicodeError: it is no name.
        """
        try:
            async with asyncio.timeout(within):
                found = await name_lookup.addresses(self._parts.hostname or "")
        except TimeoutError:
            raise TimeoutError("the name server did not answer in time") from None
        # One server often has an address of each family: it would count twice.
        version_4 = sorted(host for family, host in found if family == socket.AF_INET)
        return [self._address(host) for host in version_4 or sorted(host for _, host in found)]

    def _address(self, host: str) -> Address:
        host_and_port = _joined(host, self._port)
        return Address(
            url=f"{self._parts.scheme}://{host_and_port}{self._parts.path}",
            host=self._parts.netloc,
            server_name=self._parts.hostname or "",
            label=host_and_port,
        )


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
