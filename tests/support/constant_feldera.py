"""A Feldera that costs very little: the same prepared bytes for every list, and empty event logs."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_MORE = b"\r\n\r\n"


class ConstantFeldera:
    """A server on 127.0.0.1.

    Args:
        lists: what the list is, in turn, for ever.
    """

    def __init__(self, *lists: bytes) -> None:
        self._lists = [_answer(200, body) for body in lists]
        self._answered = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._connections: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def accept(self) -> None:
        """Serve until closed."""
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def close(self) -> None:
        """End all connections."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for connection in self._connections:
            connection.close()

    def _serve(self, connection: socket.socket) -> None:
        held = b""
        try:
            while part := connection.recv(65536):
                held += part
                while _MORE in held:
                    head, _, held = held.partition(_MORE)
                    connection.sendall(self._reply(head.split(b" ", 2)[1]))
        except OSError:
            return

    def _reply(self, path: bytes) -> bytes:
        if path.startswith(b"/v0/pipelines?"):
            self._answered += 1
            return self._lists[self._answered % len(self._lists)]
        if b"/events?" in path:
            return _answer(200, b"[]")
        return _answer(404, b"{}")


def _answer(status: int, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@contextmanager
def constant_feldera(*lists: bytes) -> Iterator[str]:
    """Serve these lists while the context lasts, and give the address."""
    server = ConstantFeldera(*lists)
    thread = threading.Thread(target=server.accept, daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.close()
        thread.join()
