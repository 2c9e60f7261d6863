"""The program's answers, and its end."""

import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.server import FelderaServer
from support import loopback
from support.plans import INSTANT
from support.two_instances import RunningExporter, now, running, until

MB = 2**20
UPGRADE = (
    b"GET /federate/metrics HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@contextmanager
def watching(folder: Path, pipelines: int, *flags: str) -> Iterator[RunningExporter]:
    """Run the program on an instance of so many pipelines."""
    feldera = Feldera(now(), plan=INSTANT)
    for number in range(pipelines):
        feldera.create(f"p{number}")
    with serve(FelderaServer(feldera)) as url:
        configuration = f"instances: [{{name: prod, url: '{url}', poll_interval: 1s}}]\n"
        with running(folder, configuration, *flags) as program:
            until(lambda: ask(program, "GET", "/-/ready").status_code == 200)
            yield program


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningExporter]:
    """Run the program for all tests that only ask."""
    flags = ("--web.telemetry-path=/federate/metrics", "--web.listen-address=[::1]:0")
    with watching(tmp_path_factory.mktemp("serving"), 2, *flags) as running_:
        yield running_


def ask(program: RunningExporter, method: str, path: str) -> httpx.Response:
    """Return an answer."""
    return loopback.request(method, f"{program.url}{path}", timeout=5)


@contextmanager
def connected(program: RunningExporter, request: bytes = b"") -> Iterator[socket.socket]:
    """Yield a connection on which a request was sent."""
    parts = urlsplit(program.url)
    with socket.create_connection((parts.hostname, parts.port or 0), timeout=5) as connection:
        connection.sendall(request)
        yield connection


class TestAnswers:
    """The program as a web server, with another path for the metrics and two addresses."""

    def test_several_addresses_of_both_families(self, program: RunningExporter) -> None:
        """Each address answers; the log has them as browsers want them, IPv6 with brackets."""
        [started] = [line for line in program.lines() if line["msg"] == "started"]
        assert re.fullmatch(r"127\.0\.0\.1:\d+, \[::1\]:\d+", started["addresses"])
        for address in started["addresses"].split(", "):
            reply = loopback.get(f"http://{address}/-/healthy")
            assert (reply.status_code, reply.text) == (200, "Healthy.\n")

    def test_head(self, program: RunningExporter) -> None:
        """HEAD is GET without the body, with its length."""
        for path in ("/federate/metrics", "/-/healthy", "/-/ready"):
            got, head = ask(program, "GET", path), ask(program, "HEAD", path)
            assert (head.status_code, head.content) == (got.status_code, b"")
            assert head.headers["content-type"] == got.headers["content-type"]
            assert int(head.headers["content-length"]) > 0

    def test_a_whole_address(self, program: RunningExporter) -> None:
        """A request may name the whole address instead of the path (RFC 9112, section 3.2.2)."""
        request = f"GET {program.url}/-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        with connected(program, request.encode()) as connection:
            assert connection.makefile("rb").read().endswith(b"\r\n\r\nHealthy.\n")

    def test_a_slash_too_many(self, program: RunningExporter) -> None:
        """A slash behind the path of the metrics redirects to them."""
        found = ask(program, "GET", "/federate/metrics/")
        assert (found.status_code, found.headers["location"]) == (308, "../metrics")
        assert str(found.url.join(found.headers["location"])) == f"{program.url}/federate/metrics"

    def test_not_found(self, program: RunningExporter) -> None:
        """Another path is a 404 that says where the metrics are."""
        for path in ("/metrics", "/federate/metrics//", "/%2e%2e/etc/passwd", "//", "/\u00e9"):
            reply = ask(program, "GET", path)
            assert (reply.status_code, reply.text) == (
                404,
                "Not found. The metrics are at /federate/metrics\n",
            )

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
    def test_method_not_allowed(self, program: RunningExporter, method: str) -> None:
        """Another method is a 405 that says what is allowed."""
        reply = ask(program, method, "/federate/metrics")
        assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD")

    def test_no_reload_unless_it_is_enabled(self, program: RunningExporter) -> None:
        """Without `--web.enable-lifecycle` a reload over HTTP is refused."""
        assert ask(program, "POST", "/-/reload").status_code == 403

    @pytest.mark.parametrize(
        "noise",
        [
            b"GARBAGE\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET /federate/metrics HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            UPGRADE,
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\n\r\n",
            b"POST /federate/metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ],
    )
    def test_noise(self, program: RunningExporter, noise: bytes) -> None:
        """Bytes that are no request change nothing, and are not logged."""
        before = program.log.read_text()
        with connected(program, noise) as connection:
            connection.settimeout(0.3)
            with suppress(OSError):
                connection.recv(65536)
        assert ask(program, "GET", "/-/healthy").status_code == 200
        assert program.log.read_text() == before

    def test_clients_that_go_away(self, program: RunningExporter) -> None:
        """A client that disconnects early changes nothing for others."""
        request = b"GET /federate/metrics HTTP/1.1\r\nHost: x\r\n\r\n"
        for _ in range(50):
            with connected(program, request):
                pass
        assert ask(program, "GET", "/federate/metrics").status_code == 200


STALLED = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


def test_slow_readers(tmp_path: Path) -> None:
    """Thirty readers that stopped reading disturb no other reader, and the program ends in time."""
    with watching(tmp_path, 600) as program, ExitStack() as stack:
        until(lambda: len(program.page()) > 10 * MB)
        before = program.rss()
        for _ in range(30):
            connection = stack.enter_context(connected(program, STALLED))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        time.sleep(1)
        assert len(program.page()) > 10 * MB
        assert program.rss() - before < 100 * MB
        program.process.terminate()
        assert program.process.wait(30) == 0
    assert [line["msg"] for line in program.lines()][-1] == "stopping"


def test_it_ends_while_feldera_does_not_answer(tmp_path: Path) -> None:
    """Pending requests do not delay the end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        configuration = f"instances: [{{name: prod, url: '{url}', poll_interval: 60s, timeout: 60s}}]\n"
        with running(tmp_path, configuration) as program:
            time.sleep(0.3)
            program.process.terminate()
            assert program.process.wait(30) == 0
