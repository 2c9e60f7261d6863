"""The addresses of Alertmanagers: each address that a name resolves to is an Alertmanager of its own."""

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
    """Where one Alertmanager is.

    Attributes:
        url: with the address in place of the name; without a slash at its end.
        host: what the `Host` header says.
        server_name: whose certificate is expected.
        told: `host:port` as metrics and logs name it.
    """

    url: str
    host: str
    server_name: str
    told: str


class Resolver:
    """Looks the name in a URL up.

    Args:
        url: an Alertmanager's, as configured.
    """

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._port = self._parts.port or _PORTS[self._parts.scheme]

    @property
    def told(self) -> str:
        """The name and the port, for as long as there is no address."""
        return _joined(self._parts.hostname or "", self._port)

    async def addresses(self, within: float) -> Sequence[Address]:
        """Return the present addresses, in order.

        Args:
            within: seconds to wait.

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
        place = _joined(host, self._port)
        return Address(
            url=f"{self._parts.scheme}://{place}{self._parts.path}",
            host=self._parts.netloc,
            server_name=self._parts.hostname or "",
            told=place,
        )


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
