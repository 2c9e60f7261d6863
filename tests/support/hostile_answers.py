"""Hostile responses of a server, and the outcome of a poll for each of them."""

import itertools
import json
from dataclasses import dataclass
from typing import Any

from feldera_exporter.exposition.compressed_block import deflate, member
from feldera_exporter.simulator.http_messages import TEXT
from support.ask_once import KEY
from support.raw_server import Request, RequestHandler, answer, sends

HTML = "text/html; charset=utf-8"
MB = 2**20
FLOOD = 300 * MB
ESCAPED_KEY = rb"\u0061" + KEY[1:].encode()


@dataclass(frozen=True)
class HostileAnswer:
    """One hostile answer, and the outcome of its poll.

    Attributes:
        name: of the test.
        outcome: what the poll's counter says.
        act: what the server does.
    """

    name: str
    outcome: str
    act: RequestHandler


def _error(code: str) -> bytes:
    return json.dumps({"message": f"{code} for {KEY}", "error_code": code, "details": None}).encode()


def packed(body: bytes, times: int = 1, first: bytes = b"") -> bytes:
    """Return a body, so many times over and after other bytes, as one gzip member; it is compressed once."""
    return b"".join(member([deflate(first), *[deflate(body)] * times]))


BOMB = packed(b" " * MB, 1024)


def _dripping(request: Request) -> None:
    request.send(answer(b"", length=10_000))
    for _ in range(200):
        request.send(b" ")
        request.pause(0.05)


def flood(request: Request) -> None:
    """Send 300 MB of a list that begins well, as fast as they are taken."""
    request.send(answer(b"", length=FLOOD))
    request.send(b"[")
    for _ in range(FLOOD // MB):
        request.send(b'{"id":"x"},' * (MB // 11))


def _endless(request: Request) -> None:
    request.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not request.ending.is_set():
        request.send(b"10000\r\n", b" " * 65536, b"\r\n")


def _cut(request: Request) -> None:
    request.send(answer(b'[{"id":', length=1000))


def _hang(request: Request) -> None:
    request.pause(10)


def _half_a_head(request: Request) -> None:
    request.send(b"HTTP/1.1 200 OK\r\nContent-Type: appl")
    request.pause(10)


def _redirects_to_itself(request: Request) -> None:
    host = request.headers["host"]
    request.send(answer(b"", "307 Temporary Redirect", "", Location=f"http://{host}/v0/pipelines"))


_sequence = itertools.count()


def _another_each_time(request: Request) -> None:
    """Fail in a different way each time."""
    replies = (
        answer(b"", "500 No"),
        answer(b"<html>", content_type=HTML),
        answer(b"", "401 No"),
        b"junk\r\n\r\n",
    )
    request.send(replies[next(_sequence) % len(replies)])


def _list(*elements: Any) -> bytes:
    return answer(json.dumps(elements).encode())


ANSWERS = (
    HostileAnswer("empty 401", "unauthorized", sends(answer(b"", "401 Unauthorized", "", WWW_Authenticate="Bearer"))),
    HostileAnswer("401 of a database outage", "unauthorized", sends(answer(_error("AuthenticationFailed"), "401 Unauthorized", TEXT))),
    HostileAnswer("403", "unauthorized", sends(answer(_error("InsufficientPermissions"), "403 Forbidden"))),
    HostileAnswer("400 ambiguous tenant", "server_error", sends(answer(_error("AmbiguousTenantMembership"), "400 Bad Request"))),
    HostileAnswer("empty 404", "server_error", sends(answer(b"", "404 Not Found", ""))),
    HostileAnswer("404 of Feldera", "server_error", sends(answer(_error("UnknownTenantName"), "404 Not Found"))),
    HostileAnswer("429", "server_error", sends(answer(b"", "429 Too Many Requests", "", Retry_After="2"))),
    HostileAnswer("500", "server_error", sends(answer(_error("InternalError"), "500 Internal Server Error"))),
    HostileAnswer("501", "server_error", sends(answer(_error("EnterpriseFeature"), "501 Not Implemented"))),
    HostileAnswer("502 of a proxy", "server_error", sends(answer(b"<h1>502</h1>", "502 Bad Gateway", HTML))),
    HostileAnswer("503 without a pause", "server_error", sends(answer(_error("LockTookTooLong"), "503 Later", Retry_After="0"))),
    HostileAnswer("redirect to a login", "server_error", sends(answer(b"", "302 Found", "", Location="/login"))),
    HostileAnswer("redirect to itself", "server_error", _redirects_to_itself),
    HostileAnswer("204", "invalid_response", sends(answer(b"", "204 No Content", ""))),
    HostileAnswer("HTML with 200", "invalid_response", sends(answer(b"<!doctype html>", content_type=HTML))),
    HostileAnswer("text with 200", "invalid_response", sends(answer(b"[]", content_type=TEXT))),
    HostileAnswer("an object", "invalid_response", sends(answer(b'{"pipelines":[]}'))),
    HostileAnswer("null", "invalid_response", sends(answer(b"null"))),
    HostileAnswer("an empty body", "invalid_response", sends(answer(b""))),
    HostileAnswer("half a list", "invalid_response", sends(answer(b'[{"id":"x"},'))),
    HostileAnswer("deep nesting", "invalid_response", sends(answer(b"[" * 1_000_000))),
    HostileAnswer("half a surrogate", "invalid_response", sends(answer(rb'[{"id":"\udfff"}]'))),
    HostileAnswer("no UTF-8", "invalid_response", sends(answer(b"\xff\xfe[]"))),
    HostileAnswer("millions of numbers", "invalid_response", sends(answer(packed(b"0," * 65536, 50), content_encoding="gzip"))),
    HostileAnswer("no gzip", "invalid_response", sends(answer(b"[]" * 100, content_encoding="gzip"))),
    HostileAnswer("half a gzip", "invalid_response", sends(answer(packed(b"[]" * 100)[:-9], content_encoding="gzip"))),
    HostileAnswer("brotli", "invalid_response", sends(answer(b"[]", content_encoding="br"))),
    HostileAnswer("the key in the body", "invalid_response", sends(_list({"id": "x", "name": KEY}))),
    HostileAnswer("the key in the body, escaped", "invalid_response", sends(answer(b'[{"id":"x","name":"%s"}]' % ESCAPED_KEY))),
    HostileAnswer("the key in a header", "invalid_response", sends(answer(b"[]", content_type=f"text/{KEY}"))),
    HostileAnswer("a bomb", "too_large", sends(answer(BOMB, content_encoding="gzip"))),
    HostileAnswer("an endless body", "too_large", _endless),
    HostileAnswer("silence", "timeout", _hang),
    HostileAnswer("half a head", "timeout", _half_a_head),
    HostileAnswer("a byte now and then", "timeout", _dripping),
    HostileAnswer("a closed connection", "unreachable", sends(b"")),
    HostileAnswer("a cut body", "unreachable", _cut),
    HostileAnswer("no HTTP", "unreachable", sends(b"220 mail.example.com ESMTP\r\n\r\n")),
    HostileAnswer("an endless head", "unreachable", sends(b"HTTP/1.1 200 OK\r\nX: " + b"x" * MB)),
    HostileAnswer("a bad chunk", "unreachable", sends(b"HTTP/1.1 200 OK\r\nContent-Type: json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")),
    HostileAnswer("two lengths", "unreachable", sends(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n[]")),
)  # fmt: skip
