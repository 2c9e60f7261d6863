"""What systemd is told of the program: the few lines of its protocol (sd_notify(3)) that a service needs."""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


def notify(state: str, environ: Mapping[str, str] = os.environ) -> None:
    """Send a state such as `READY=1` to the service manager, where one started the program and asks for it."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    # A name that begins with @ is in the abstract name space.
    target = f"\0{address[1:]}" if address.startswith("@") else address
    # That it cannot be said is no reason not to work.
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.sendto(state.encode(), target)
