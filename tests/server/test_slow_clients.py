"""A client that sends nothing or too much, or reads nothing, is disconnected."""

import asyncio
import contextlib
import re
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog
import uvloop

from feldera_exporter.exposition.compressed_block import CompressedBlock
from feldera_exporter.exposition.family import Family
from feldera_exporter.exposition.snapshot import Content, Section, Snapshot
from feldera_exporter.server import slow_clients
from feldera_exporter.server.asgi import application
from feldera_exporter.server.listener import bind, serving
from feldera_exporter.server.web_access import WebAccess
from support.certificates import make

FAMILY: Family[object] = Family("a", "counter", "Help.", (), lambda _: ())
LINE = b"a_total 1\n"
METRICS = b"GET /metrics HTTP/1.1\r\nHost: x\r\n%b\r\n"
LARGE = 1 << 24
"""Bytes that no pair of socket buffers holds."""
SMALL = 300_000
"""Bytes that one piece holds, and the buffers do not where the reader's is small."""

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


@dataclass
class SlowSnapshotSource:
    """A source with a text of some bytes, which takes some seconds to render."""

    size: int
    takes: float = 0.0
    ready = True

    @property
    def snapshot(self) -> Snapshot:
        """A new snapshot with the same content each time."""
        blocks = [CompressedBlock.of((LINE * 1000,))] * (self.size // (1000 * len(LINE)))

        def content() -> Content:
            time.sleep(self.takes)
            return Content([Section(FAMILY, blocks)], lambda _: b"", lambda *_: None)

        return Snapshot(content)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_clients, "LONGEST", 1.0)


def connected(
    shown: SlowSnapshotSource, talk: Callable[[Reader, Writer], Awaitable[None]], times: int = 1
) -> None:
    """Serve, and let a client use some connections, one after the other; at the end the server has none left."""

    async def run() -> None:
        listener = bind("127.0.0.1:0")
        async with serving(application(shown, "/metrics", None), [listener]), asyncio.timeout(20):
            for _ in range(times):
                reader, writer = await asyncio.open_connection(*listener.getsockname(), limit=2**12)
                await talk(reader, writer)
                writer.transport.abort()

    uvloop.run(run())


async def ended(reader: Reader) -> bytes:
    """Return all that still comes on a connection until the server ends it."""
    found = bytearray()
    try:
        while part := await reader.read(1 << 16):
            found += part
    except ConnectionResetError:
        pass
    return bytes(found)


@pytest.mark.parametrize("said", [b"", b"GET /-/healthy HTTP/1.1\r\nHos", METRICS[:-2] % b"X: y\r\n"])
def test_who_says_nothing_more_is_disconnected(said: bytes) -> None:
    """A silent client is disconnected before its first request and within one."""

    async def talk(reader: Reader, writer: Writer) -> None:
        writer.write(said)
        assert await ended(reader) == b""

    connected(SlowSnapshotSource(0), talk)


def test_half_a_request_after_a_whole_one() -> None:
    """The first request is answered; then the connection ends like a silent one."""

    async def talk(reader: Reader, writer: Writer) -> None:
        writer.write(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"Healthy." in await reader.readuntil(b"Healthy.\n")
        writer.write(b"GET /")
        assert await ended(reader) == b""

    connected(SlowSnapshotSource(0), talk)


def test_a_request_in_slow_pieces() -> None:
    """A slow request that arrives in time is answered."""

    async def talk(reader: Reader, writer: Writer) -> None:
        for part in (b"GET /-/healthy HTT", b"P/1.1\r\nHost: ", b"x\r\nConnection: close\r\n\r\n"):
            writer.write(part)
            await asyncio.sleep(0.05)
        assert (await ended(reader)).endswith(b"Healthy.\n")

    connected(SlowSnapshotSource(0), talk)


def test_a_request_without_end() -> None:
    """A header of megabytes is not collected."""

    async def talk(reader: Reader, writer: Writer) -> None:
        writer.write(b"GET / HTTP/1.1\r\nX: ")
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                writer.write(b"y" * 2**20)
                await writer.drain()
        assert writer.transport.is_closing()
        assert (await ended(reader)).partition(b"\r\n")[0] in {b"", b"HTTP/1.1 400 Bad Request"}

    connected(SlowSnapshotSource(0), talk)


def test_many_requests_on_one_connection() -> None:
    """The limit is for each request, not for all together."""
    request = METRICS % (b"X: " + b"y" * 30_000 + b"\r\n")

    async def talk(reader: Reader, writer: Writer) -> None:
        for _ in range(10):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head)
            assert length is not None
            await reader.readexactly(int(length[1]))

    connected(SlowSnapshotSource(SMALL), talk)


@pytest.mark.parametrize("asked", [METRICS % b"", METRICS % b"Connection: close\r\n", 2 * (METRICS % b"")])
def test_who_reads_nothing_is_disconnected(asked: bytes) -> None:
    """A client that does not read is disconnected, whatever else it requests."""

    async def talk(reader: Reader, writer: Writer) -> None:
        writer.write(asked)
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(2)
        # What is in the buffers of the system comes still; the answer has no end.
        assert len(await ended(reader)) < LARGE

    connected(SlowSnapshotSource(LARGE), talk)


def test_who_reads_slowly_reads_all_of_it() -> None:
    """A slow reader gets everything, although it takes several timeouts."""

    async def talk(reader: Reader, writer: Writer) -> None:
        writer.write(METRICS % b"Connection: close\r\n")
        size, pause = 0, LARGE // 16
        while part := await reader.read(1 << 16):
            if (size + len(part)) // pause > size // pause:
                await asyncio.sleep(0.2)
            size += len(part)
        assert size > LARGE // 10_000 * 10_000

    connected(SlowSnapshotSource(LARGE), talk)


def test_who_waits_for_an_answer_is_not_disconnected() -> None:
    """A client that waits for a slow answer is not disconnected."""

    async def talk(reader: Reader, writer: Writer) -> None:
        writer.write(METRICS % b"Connection: close\r\n")
        assert (await ended(reader)).count(LINE) == 30_000

    connected(SlowSnapshotSource(SMALL, takes=1.5), talk)


def test_requests_one_behind_the_other() -> None:
    """Pipelined requests are answered in their order."""

    async def talk(reader: Reader, writer: Writer) -> None:
        writer.write(METRICS % b"" + b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answers = await ended(reader)
        assert (answers.count(LINE), answers.endswith(b"Healthy.\n")) == (30_000, True)

    connected(SlowSnapshotSource(SMALL), talk)


def test_a_new_connection_closes_the_one_idle_for_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection with an answer pending stays open, and so does the newest."""
    monkeypatch.setattr(slow_clients, "MAX_CONNECTIONS", 4)
    monkeypatch.setattr(slow_clients, "LONGEST", 15.0)

    async def run() -> None:
        listener = bind("127.0.0.1:0")
        shown = SlowSnapshotSource(SMALL, takes=1.0)
        async with serving(application(shown, "/metrics", None), [listener]), asyncio.timeout(20):
            clients = [await asyncio.open_connection(*listener.getsockname(), limit=2**20)]
            clients[0][1].write(METRICS % b"")
            await asyncio.sleep(0.2)
            for _ in range(12):
                clients.append(await asyncio.open_connection(*listener.getsockname()))
                await asyncio.sleep(0.01)
            assert await clients[0][0].readline() == b"HTTP/1.1 200 OK\r\n"
            for reader, _ in clients[1:10]:
                assert await ended(reader) == b""
            for reader, writer in clients[10:]:
                writer.write(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
                assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
            for _, writer in clients:
                writer.transport.abort()

    uvloop.run(run())


def test_handshakes_that_do_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their number is limited, and each is disconnected; then there is room for others."""
    monkeypatch.setattr(slow_clients, "MAX_CONNECTIONS", 4)
    make(tmp_path)
    path = tmp_path / "web.yml"
    path.write_text("tls_server_config: {cert_file: server.pem, key_file: server.key}\n")

    async def run() -> None:
        trusting = ssl.create_default_context(cafile=tmp_path / "ca.pem")
        listener = bind("127.0.0.1:0")
        address = listener.getsockname()
        app = application(SlowSnapshotSource(0), "/metrics", None)
        tls = WebAccess(path, structlog.get_logger()).listening
        async with serving(app, [listener], tls), asyncio.timeout(20):
            silent = [await asyncio.open_connection(*address) for _ in range(6)]
            with pytest.raises((ConnectionError, ssl.SSLError)):
                await asyncio.open_connection(*address, ssl=trusting)
            for reader, writer in silent:
                assert await ended(reader) == b""
                writer.close()
            # More than may be connected at a time: what has ended does not count.
            for _ in range(12):
                reader, writer = await asyncio.open_connection(*address, ssl=trusting)
                writer.write(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
                assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
                writer.transport.abort()

    uvloop.run(run())
