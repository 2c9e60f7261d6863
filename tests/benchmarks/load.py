"""Scrapers: each asks over one connection, reads the whole answer, and asks again.

Run as a program it prints JSON: `load.py PORT PATH ACCEPT-ENCODING SCRAPERS SECONDS`.
"""

import socket
import sys
import threading
import time

import msgspec

_BUFFER = 2**20


class LoadResult(msgspec.Struct, frozen=True):
    """The answers to the scrapers: number, bytes of bodies, seconds in all, and milliseconds of each."""

    answers: int
    size: int
    seconds: float
    latencies: list[float]

    @property
    def p99(self) -> float:
        """The milliseconds within which 99 of 100 answers had been read."""
        return sorted(self.latencies)[max(0, -(-len(self.latencies) * 99 // 100) - 1)]


def load(port: int, path: str, encoding: str, scrapers: int, seconds: float) -> LoadResult:
    """Scrape for a while; every scraper gets at least one answer."""
    latencies: list[float] = []
    sizes: list[int] = []
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: {encoding}\r\n\r\n".encode()
    began = time.perf_counter()

    def scrape() -> None:
        buffer = memoryview(bytearray(_BUFFER))
        with socket.create_connection(("127.0.0.1", port)) as connection:
            while True:
                asked = time.perf_counter()
                connection.sendall(request)
                sizes.append(_read(connection, buffer))
                now = time.perf_counter()
                latencies.append((now - asked) * 1000)
                if now - began >= seconds:
                    return

    threads = [threading.Thread(target=scrape) for _ in range(scrapers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return LoadResult(len(latencies), sizes[0], time.perf_counter() - began, latencies)


def _read(connection: socket.socket, buffer: memoryview) -> int:
    """Read one answer; return the length of its body."""
    head, have = b"", 0
    while b"\r\n\r\n" not in head:
        have = connection.recv_into(buffer)
        head += bytes(buffer[:have])
    status, _, rest = head.partition(b"\r\n")
    fields, _, body = rest.partition(b"\r\n\r\n")
    if b" 200 " not in status:
        raise ConnectionError(status.decode())
    names = dict(line.lower().split(b": ", 1) for line in fields.split(b"\r\n"))
    length = int(names[b"content-length"])
    left = length - len(body)
    while left:
        left -= connection.recv_into(buffer, min(left, _BUFFER))
    return length


if __name__ == "__main__":
    _port, _path, _encoding, _scrapers, _seconds = sys.argv[1:]
    _seen = load(int(_port), _path, _encoding, int(_scrapers), float(_seconds))
    sys.stdout.buffer.write(msgspec.json.encode(_seen))
