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


def name_and_port(url: str) -> str:
    """Return `name:port` of a URL, the label while no address is known."""
    parts = urlsplit(url)
    return _joined(parts.hostname or "", parts.port or _PORTS[parts.scheme])


async def addresses(url: str, within: float) -> Sequence[Address]:
    """Return the present addresses of a URL's host, sorted; wait for them so many seconds at most.

    Raises:
        OSError: the name cannot be resolved, or not in time.
        UnicodeError: it is no name.
    """
    parts = urlsplit(url)
    name = parts.hostname or ""
    try:
        async with asyncio.timeout(within):
            found = await name_lookup.addresses(name)
    except TimeoutError:
        raise TimeoutError("the name server did not answer in time") from None
    # One server often has an address of each family: it would count twice.
    version_4 = sorted(host for family, host in found if family == socket.AF_INET)
    labels = (
        _joined(host, parts.port or _PORTS[parts.scheme])
        for host in version_4 or sorted(host for _, host in found)
    )
    return [Address(f"{parts.scheme}://{label}{parts.path}", parts.netloc, name, label) for label in labels]


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
