"""A raw TCP server whose answers a test chooses, and which otherwise passes requests on to another server."""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from feldera_exporter.simulator.http_messages import JSON

HOP_BY_HOP = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})


@dataclass
class Request:
    """One request, and the connection that it came by."""

    path: str
    headers: dict[str, str]
    connection: socket.socket
    ending: threading.Event

    def send(self, *parts: bytes) -> None:
        """Send bytes as they are."""
        for part in parts:
            self.connection.sendall(part)

    def pause(self, seconds: float) -> None:
        """Wait, unless the server ends."""
        self.ending.wait(seconds)


RequestHandler = Callable[[Request], object]
"""What is done with a request; afterwards the connection is closed, unless it returns True."""


def answer(
    body: bytes, status: str = "200 OK", content_type: str = JSON, length: int | None = None, **headers: str
) -> bytes:
    """Return a whole answer as bytes; `content_encoding="gzip"` sets Content-Encoding."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}"]
    if content_type:
        lines.append(f"Content-Type: {content_type}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def sends(*parts: bytes, keep: bool = False) -> RequestHandler:
    """Answer every request with these bytes."""

    def act(request: Request) -> bool:
        request.send(*parts)
        return keep

    return act


@dataclass
class RawServer:
    """The server.

    Attributes:
        upstream: the URL of the good server.
        act: what is done with the requests whose path begins with `prefix`; None passes them on.
        rewrite: what becomes of the bodies that are passed on, of the same paths.
        requests: every request that came, in order.
        connections: how many connections were made.
    """

    upstream: str = ""
    act: RequestHandler | None = None
    prefix: str = "/"
    rewrite: Callable[[bytes], bytes] | None = None
    tls: ssl.SSLContext | None = None
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    ending: threading.Event = field(default_factory=threading.Event)
    open: set[socket.socket] = field(default_factory=set)

    def asked(self, prefix: str) -> int:
        """Return how many requests came whose path begins so."""
        return sum(request.path.startswith(prefix) for request in self.requests)

    def accept(self, listener: socket.socket) -> None:
        """Take connections until the listener is closed."""
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            self.open.add(connection)
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if self.tls is not None:
                self.open.discard(connection)
                connection = self.tls.wrap_socket(connection, server_side=True)
                self.open.add(connection)
            with connection:
                while (request := self._read(connection)) is not None and self._do(request):
                    pass
        self.open.discard(connection)

    def _read(self, connection: socket.socket) -> Request | None:
        head = b""
        while b"\r\n\r\n" not in head:
            part = connection.recv(65536)
            if not part:
                return None
            head += part
        first, *lines = head.decode("latin-1").split("\r\n\r\n")[0].split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        request = Request(first.split(" ")[1], headers, connection, self.ending)
        self.requests.append(request)
        return request

    def _do(self, request: Request) -> object:
        if self.act is not None and request.path.startswith(self.prefix):
            return self.act(request)
        return self._pass_on(request)

    def _pass_on(self, request: Request) -> bool:
        parts = urlsplit(self.upstream)
        upstream = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        try:
            plain = request.headers | {"accept-encoding": "identity"}
            upstream.request("GET", request.path, headers=plain)
            reply = upstream.getresponse()
            body = reply.read()
            if self.rewrite is not None and request.path.startswith(self.prefix):
                body = self.rewrite(body)
            kept = {name: value for name, value in reply.getheaders() if name.lower() not in HOP_BY_HOP}
            kept["Content-Length"] = str(len(body))
            lines = [f"HTTP/1.1 {reply.status} {reply.reason}", *(f"{k}: {v}" for k, v in kept.items())]
            request.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
        finally:
            upstream.close()
        return True


@contextmanager
def serving_raw(
    upstream: str = "",
    act: RequestHandler | None = None,
    prefix: str = "/",
    tls: ssl.SSLContext | None = None,
) -> Iterator[RawServer]:
    """Run the server on a free port of 127.0.0.1 until the context ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    raw_server = RawServer(upstream, act, prefix, tls=tls)
    raw_server.url = f"http{'s' if tls else ''}://127.0.0.1:{listener.getsockname()[1]}"
    thread = threading.Thread(target=raw_server.accept, args=(listener,), daemon=True)
    thread.start()
    try:
        yield raw_server
    finally:
        raw_server.ending.set()
        # Closing alone does not wake a thread that waits in accept.
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in tuple(raw_server.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        thread.join(5)
        deadline = time.monotonic() + 5
        while raw_server.open and time.monotonic() < deadline:
            time.sleep(0.01)
