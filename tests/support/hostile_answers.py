"""Hostile responses of a server, and the outcome of a poll for each of them."""

import itertools
import json
from dataclasses import dataclass
from typing import Any

from feldera_exporter.exposition.compression import deflate, member
from feldera_exporter.simulator.http_messages import HTML, TEXT
from support.ask_once import KEY
from support.raw_server import Act, Request, answer, sends

MB = 2**20
FLOOD = 300 * MB
ESCAPED_KEY = rb"\u0061" + KEY[1:].encode()


@dataclass(frozen=True)
class Hostile:
    """One of them.

    Attributes:
        name: of the test.
        outcome: what the poll's counter says.
        act: what the server does.
    """

    name: str
    outcome: str
    act: Act


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
    """Fail in another way each time."""
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
    Hostile("empty 401", "unauthorized", sends(answer(b"", "401 Unauthorized", "", WWW_Authenticate="Bearer"))),
    Hostile("401 of a database outage", "unauthorized", sends(answer(_error("AuthenticationFailed"), "401 Unauthorized", TEXT))),
    Hostile("403", "unauthorized", sends(answer(_error("InsufficientPermissions"), "403 Forbidden"))),
    Hostile("400 ambiguous tenant", "server_error", sends(answer(_error("AmbiguousTenantMembership"), "400 Bad Request"))),
    Hostile("empty 404", "server_error", sends(answer(b"", "404 Not Found", ""))),
    Hostile("404 of Feldera", "server_error", sends(answer(_error("UnknownTenantName"), "404 Not Found"))),
    Hostile("429", "server_error", sends(answer(b"", "429 Too Many Requests", "", Retry_After="2"))),
    Hostile("500", "server_error", sends(answer(_error("InternalError"), "500 Internal Server Error"))),
    Hostile("501", "server_error", sends(answer(_error("EnterpriseFeature"), "501 Not Implemented"))),
    Hostile("502 of a proxy", "server_error", sends(answer(b"<h1>502</h1>", "502 Bad Gateway", HTML))),
    Hostile("503 without a pause", "server_error", sends(answer(_error("LockTookTooLong"), "503 Later", Retry_After="0"))),
    Hostile("redirect to a login", "server_error", sends(answer(b"", "302 Found", "", Location="/login"))),
    Hostile("redirect to itself", "server_error", _redirects_to_itself),
    Hostile("204", "invalid_response", sends(answer(b"", "204 No Content", ""))),
    Hostile("HTML with 200", "invalid_response", sends(answer(b"<!doctype html>", content_type=HTML))),
    Hostile("text with 200", "invalid_response", sends(answer(b"[]", content_type=TEXT))),
    Hostile("an object", "invalid_response", sends(answer(b'{"pipelines":[]}'))),
    Hostile("null", "invalid_response", sends(answer(b"null"))),
    Hostile("an empty body", "invalid_response", sends(answer(b""))),
    Hostile("half a list", "invalid_response", sends(answer(b'[{"id":"x"},'))),
    Hostile("deep nesting", "invalid_response", sends(answer(b"[" * 1_000_000))),
    Hostile("half a surrogate", "invalid_response", sends(answer(rb'[{"id":"\udfff"}]'))),
    Hostile("no UTF-8", "invalid_response", sends(answer(b"\xff\xfe[]"))),
    Hostile("millions of numbers", "invalid_response", sends(answer(packed(b"0," * 65536, 50), content_encoding="gzip"))),
    Hostile("no gzip", "invalid_response", sends(answer(b"[]" * 100, content_encoding="gzip"))),
    Hostile("half a gzip", "invalid_response", sends(answer(packed(b"[]" * 100)[:-9], content_encoding="gzip"))),
    Hostile("brotli", "invalid_response", sends(answer(b"[]", content_encoding="br"))),
    Hostile("the key in the body", "invalid_response", sends(_list({"id": "x", "name": KEY}))),
    Hostile("the key in the body, escaped", "invalid_response", sends(answer(b'[{"id":"x","name":"%s"}]' % ESCAPED_KEY))),
    Hostile("the key in a header", "invalid_response", sends(answer(b"[]", content_type=f"text/{KEY}"))),
    Hostile("a bomb", "too_large", sends(answer(BOMB, content_encoding="gzip"))),
    Hostile("an endless body", "too_large", _endless),
    Hostile("silence", "timeout", _hang),
    Hostile("half a head", "timeout", _half_a_head),
    Hostile("a byte now and then", "timeout", _dripping),
    Hostile("a closed connection", "unreachable", sends(b"")),
    Hostile("a cut body", "unreachable", _cut),
    Hostile("no HTTP", "unreachable", sends(b"220 mail.example.com ESMTP\r\n\r\n")),
    Hostile("an endless head", "unreachable", sends(b"HTTP/1.1 200 OK\r\nX: " + b"x" * MB)),
    Hostile("a bad chunk", "unreachable", sends(b"HTTP/1.1 200 OK\r\nContent-Type: json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")),
    Hostile("two lengths", "unreachable", sends(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n[]")),
)  # fmt: skip
