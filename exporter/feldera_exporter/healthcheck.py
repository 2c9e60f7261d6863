"""The image's HEALTHCHECK, `python -m feldera_exporter.healthcheck`: whether process 1 responds where it listens.

It finds the addresses itself, so that it works with all flags, TLS and passwords.
"""

import ipaddress
import re
import ssl
import struct
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Final

_LISTENING: Final = "0A"
"""The state of a socket in /proc/net/tcp (proc_net_tcp(5))."""
_TIMEOUT: Final = 4.0


def main(process: int = 1) -> int:
    """Return 0 if a process responds at all addresses that it listens on, and has one; else 1."""
    addresses = list(listened(process))
    return 0 if addresses and all(answers(*address) for address in addresses) else 1


def listened(process: int) -> Iterator[tuple[str, int]]:
    """Yield the host and port of each TCP socket that a process listens on."""
    folder = Path("/proc") / str(process)
    own = set()
    for descriptor in (folder / "fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            own.add(str(descriptor.readlink()))
    for table in ("tcp", "tcp6"):
        with suppress(OSError):  # without IPv6
            for line in (folder / "net" / table).read_text().splitlines()[1:]:
                _, local, _, state, *rest = line.split()
                if state == _LISTENING and f"socket:[{rest[5]}]" in own:
                    host, _, port = local.partition(":")
                    yield _readable(host), int(port, 16)


def _readable(host: str) -> str:
    """Return an address of /proc/net/tcp (words of 32 bits in the machine's byte order) as text."""
    words = re.findall("[0-9A-F]{8}", host)
    address = ipaddress.ip_address(b"".join(struct.pack("=I", int(word, 16)) for word in words))
    if address.is_unspecified:
        return "127.0.0.1"
    return str(getattr(address, "ipv4_mapped", None) or address)


def answers(host: str, port: int) -> bool:
    """Return whether a server responds: with HTTP, also to ask for a password, or else with a TLS handshake."""
    plain = HTTPConnection(host, port, timeout=_TIMEOUT)
    with closing(plain), suppress(OSError, HTTPException):
        plain.request("GET", "/-/healthy")
        return plain.getresponse().status in {200, 401}
    unverified = ssl.create_default_context()
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    secure = HTTPSConnection(host, port, timeout=_TIMEOUT, context=unverified)
    with closing(secure), suppress(OSError):
        secure.connect()
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
