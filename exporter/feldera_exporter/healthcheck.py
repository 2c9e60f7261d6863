"""Whether the exporter that is process 1 of a container answers where it really listens: `python -m feldera_exporter.healthcheck`.

The image's HEALTHCHECK: flags, the path of the metrics, TLS and passwords need not be known to it.
"""

import ipaddress
import ssl
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Final

_LISTENING: Final = "0A"
"""The state of a socket in /proc/net/tcp (proc_net_tcp(5))."""
_TIMEOUT: Final = 4.0
_WORD: Final = 4


def main(process: int = 1) -> int:
    """Return 0 where every address that a process listens on is answered, else 1."""
    addresses = list(listened(process))
    return 0 if addresses and all(answers(*address) for address in addresses) else 1


def listened(process: int) -> Iterator[tuple[str, int]]:
    """Yield host and port of every TCP socket that a process listens on; every address of a machine is its loopback."""
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
    """Return an address of /proc/net/tcp as it is connected to: words of four bytes in the machine's order."""
    raw = bytes.fromhex(host)
    words = (raw[place : place + _WORD] for place in range(0, len(raw), _WORD))
    swapped = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
    address = ipaddress.ip_address(swapped)
    if address.is_unspecified:
        return "127.0.0.1"
    return str(getattr(address, "ipv4_mapped", None) or address)


def answers(host: str, port: int) -> bool:
    """Return whether a server answers, with TLS or without; that it wants to know who asks is an answer."""
    unverified = ssl.create_default_context()
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    plain = HTTPConnection(host, port, timeout=_TIMEOUT)
    secure = HTTPSConnection(host, port, timeout=_TIMEOUT, context=unverified)
    with closing(plain), suppress(OSError, HTTPException):
        return _is_well(plain)
    with closing(secure), suppress(OSError):
        secure.connect()
        try:
            return _is_well(secure)
        except (ConnectionError, HTTPException, ssl.SSLError):
            # After the handshake: it wants a certificate.
            return True
    return False


def _is_well(connection: HTTPConnection) -> bool:
    connection.request("GET", "/-/healthy")
    return connection.getresponse().status in {200, 401}


if __name__ == "__main__":
    sys.exit(main())
