"""The client's results and errors, answer by answer."""

import asyncio
import json
import time
import zlib
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feldera_exporter.feldera.client import CLUSTER_HEALTH, EVENT, PIPELINES, Client
from feldera_exporter.feldera.errors import (
    DeadlineError,
    FelderaError,
    InvalidResponseError,
    NotFoundError,
    ServerError,
    TooLargeError,
    UnauthorizedError,
    UnreachableError,
    UnsupportedError,
)
from feldera_exporter.feldera.redaction import redacted
from feldera_exporter.simulator.http_messages import JSON, TEXT
from support.ask_once import KEY, RequestRecorder, ask
from support.hostile_answers import BOMB, HTML, MB
from support.raw_server import Request, answer, sends, serving_raw
from support.tools import example_count


def error_value(code: str, message: str = "It failed.") -> bytes:
    """Return Feldera's error value."""
    return json.dumps({"message": message, "error_code": code, "details": None}).encode()


def gzip(body: bytes) -> bytes:
    """Return one gzip member."""
    packer = zlib.compressobj(9, wbits=31)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("reply", "error", "text"),
    [
        (answer(b"", "401 Unauthorized", "", WWW_Authenticate="Bearer"), UnauthorizedError, "401 Unauthorized"),
        (
            answer(error_value("AuthenticationFailed", "Unauthorized API key"), "401 Unauthorized", TEXT),
            UnauthorizedError,
            "401 Unauthorized: AuthenticationFailed: Unauthorized API key",
        ),
        (
            answer(error_value("InsufficientPermissions"), "403 Forbidden"),
            UnauthorizedError,
            "403 Forbidden: InsufficientPermissions: It failed.",
        ),
        (answer(b"", "404 Not Found", ""), UnsupportedError, "404 Not Found: this server has no such route"),
        (
            answer(error_value("UnknownPipelineName"), "404 Not Found"),
            NotFoundError,
            "404 Not Found: UnknownPipelineName: It failed.",
        ),
        (answer(b"<html>", "404 Not Found", HTML), ServerError, "404 Not Found"),
        (
            answer(error_value("EnterpriseFeature"), "501 Not Implemented"),
            UnsupportedError,
            "501 Not Implemented: EnterpriseFeature: It failed.: this server has no such route",
        ),
        (answer(b"oops", "500 Internal Server Error", TEXT), ServerError, "500 Internal Server Error"),
        (answer(b"{}", "500 Internal Server Error"), ServerError, "500 Internal Server Error"),
        (answer(b"\xff\xfe", "500", JSON), ServerError, "500"),
        (answer(b"not gzip", "500 No", content_encoding="gzip"), ServerError, "500 No"),
        (answer(b"x" * MB, "500 Long"), ServerError, "500 Long"),
        (answer(b"x", "500 Cut", length=10), ServerError, "500 Cut"),
        (
            answer(b"", "302 Found", "", Location="https://elsewhere.example.com"),
            ServerError,
            "302 Found: redirects are not followed, since they could send the key elsewhere",
        ),
        (answer(b"[]", "206 Partial Content"), InvalidResponseError, "206 Partial Content, expected 200"),
        (answer(b"", "204 No Content", ""), InvalidResponseError, "204 No Content, expected 200"),
        (answer(b"[]", "999 Odd"), ServerError, "999 Odd"),
        (
            answer(b"<html>", content_type=HTML),
            InvalidResponseError,
            "a body of 'text/html; charset=utf-8', expected JSON (as from Feldera's web console: is the URL right?)",
        ),
        (answer(b"[]", content_type=""), InvalidResponseError, "a body of '', expected JSON"),
        (
            answer(b"x", content_encoding="br"),
            InvalidResponseError,
            "the body is encoded as 'br', expected gzip or identity",
        ),
        (answer(b"", content_encoding="gzip"), InvalidResponseError, "the compressed body ends too early"),
        (
            answer(gzip(b"[]")[:-9], content_encoding="gzip"),
            InvalidResponseError,
            "the compressed body ends too early",
        ),
        (
            answer(gzip(b"[]") + b"more", content_encoding="gzip"),
            InvalidResponseError,
            "the compressed body goes on after its end",
        ),
        (
            answer(gzip(b"[]") + gzip(b"[]"), content_encoding="gzip"),
            InvalidResponseError,
            "the compressed body goes on after its end",
        ),
        (answer(b"[", length=100), UnreachableError, "peer closed connection"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n", UnreachableError, "illegal status line"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, UnreachableError, "Receive buffer too long"),
        (b"", UnreachableError, "Server disconnected without sending a response."),
    ],
)  # fmt: skip
def test_each_failure_has_its_error(reply: bytes, error: type[FelderaError], text: str) -> None:
    """Each answer without success becomes the error of its kind, with a text that helps."""
    with serving_raw(act=sends(reply)) as server, pytest.raises(FelderaError) as caught:
        ask(server.url)
    assert type(caught.value) is error
    assert str(caught.value).startswith(text)


def test_not_gzip_is_said() -> None:
    """A body that claims to be gzip and is not is named as such."""
    with (
        serving_raw(act=sends(answer(b"[]" * 20, content_encoding="gzip"))) as server,
        pytest.raises(InvalidResponseError, match="the body is not gzip"),
    ):
        ask(server.url)


def test_no_server() -> None:
    """A port without a server is unreachable."""
    with serving_raw() as server:
        url = server.url
    asked = RequestRecorder()
    with pytest.raises(UnreachableError):
        ask(url, asked=asked)
    assert asked.codes == ["unreachable"]


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_success_is_the_whole_body(encoding: str) -> None:
    """The body comes decompressed, with the server's date."""
    body = b'[{"id":1}]' * 1000
    sent = gzip(body) if encoding == "gzip" else body
    reply = answer(sent, content_encoding=encoding, Date="Fri, 21 Aug 2026 12:00:00 GMT")
    asked = RequestRecorder()
    with serving_raw(act=sends(reply)) as server:
        got = ask(server.url, asked=asked)
        [request] = server.requests
    assert bytes(got.body) == body
    assert got.date == 1_787_313_600
    assert got.elapsed > 0
    assert asked.codes == ["200"]
    assert request.path == "/v0/pipelines?selector=status"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize(
    "date",
    ["Fri, 21 Aug 2026 12:00:00 GMT", "Friday, 21-Aug-26 12:00:00 GMT", "Fri Aug 21 12:00:00 2026"],
)
def test_every_form_of_a_date_is_utc(date: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each form of a date is read as UTC in any local zone, also the oldest without a zone (RFC 9110 section 5.6.7)."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        with serving_raw(act=sends(answer(b"[]", Date=date))) as server:
            assert ask(server.url).date == 1_787_313_600
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_closed_client_says_so() -> None:
    """A closed client raises one of its errors, as a request during a reload needs an answer."""

    async def run() -> None:
        client = Client(
            "http://127.0.0.1:9",
            api_key=lambda: None,
            tls=None,
            max_response_size=1,
            observe=RequestRecorder(),
        )
        await client.close()
        with pytest.raises(UnreachableError, match="reloaded"):
            await client.get(PIPELINES, within=1)

    asyncio.run(run())


@pytest.mark.parametrize(
    "date", ["", "yesterday", "Fri, 99 Aug 2026 12:00:00 GMT", "Fri, 21 Aug 99999 12:00:00"]
)
def test_a_date_that_cannot_be_read_is_none(date: str) -> None:
    """Such an answer is a success without a date."""
    with serving_raw(act=sends(answer(b"[]", Date=date))) as server:
        assert ask(server.url).date is None


def test_an_unhealthy_cluster_is_an_answer() -> None:
    """`cluster_healthz` answers for an unhealthy cluster with status 503 and the same body."""
    with serving_raw(act=sends(answer(b'{"all_healthy":false}', "503 Service Unavailable"))) as server:
        assert bytes(ask(server.url, CLUSTER_HEALTH).body) == b'{"all_healthy":false}'


def test_names_are_quoted() -> None:
    """A name cannot leave its place in the path."""
    with serving_raw(act=sends(answer(b"{}"))) as server:
        ask(server.url, EVENT, "../a/b?c", "d#e")
        assert server.requests[0].path == "/v0/pipelines/..%2Fa%2Fb%3Fc/events/d%23e?selector=all"


def test_without_a_key_no_credentials_are_sent() -> None:
    """An instance without authentication gets no Authorization header."""
    with serving_raw(act=sends(answer(b"[]"))) as server:
        ask(server.url, key=lambda: None)
        assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_what_may_pass_is_repeated(status: int) -> None:
    """A request that may succeed later is sent again after a pause, and the second answer counts."""
    replies = iter([answer(b"", f"{status} Wait", ""), answer(b"[]")])
    asked = RequestRecorder()
    with serving_raw(act=lambda request: request.send(next(replies))) as server:
        began = time.monotonic()
        assert bytes(ask(server.url, asked=asked).body) == b"[]"
    assert time.monotonic() - began >= 0.5
    assert asked.codes == [str(status), "200"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 501])
def test_what_stays_is_not_repeated(status: int) -> None:
    """A request that would get the same answer is not sent again."""
    with serving_raw(act=sends(answer(b"x", f"{status} No"))) as server, pytest.raises(FelderaError):
        ask(server.url)
    assert len(server.requests) == 1


def test_a_repetition_that_takes_too_long_leaves_the_refusal() -> None:
    """If the repetition takes too long, the error is the refusal before it, which says more."""
    replies = iter([answer(b"", "503 Later", ""), answer(b"", "200 OK", length=1)])

    def first_refuse_then_hang(request: Request) -> None:
        request.send(next(replies))
        request.pause(5 * len(server.requests) - 5)

    with (
        serving_raw(act=first_refuse_then_hang) as server,
        pytest.raises(ServerError, match="503 Later"),
    ):
        ask(server.url, within=0.8)
    assert len(server.requests) == 2


def test_repetitions_end_before_the_deadline() -> None:
    """Pauses double from half a second; the last refusal is the answer when there is no time for another."""
    with serving_raw(act=sends(answer(b"", "503 Later", ""))) as server:
        with pytest.raises(ServerError, match="503 Later"):
            ask(server.url, within=1.4)
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("after", "tries"),
    [
        ("0", 2),
        ("1", 2),
        ("5", 1),
        ("9" * 400, 1),
        ("soon", 2),
        ("-1", 2),
        ("٣", 2),
        ("IN 1", 2),
        ("IN 60", 1),
    ],
)
def test_retry_after_is_heeded(after: str, tries: int) -> None:
    """The next request waits for Retry-After, in seconds or as an instant, and always for a pause."""
    if after.startswith("IN "):
        after = format_datetime(datetime.fromtimestamp(time.time(), UTC) + timedelta(seconds=int(after[3:])), usegmt=True)  # fmt: skip
    reply = answer(b"", "503 Later", "", Retry_After="X").replace(b"X", after.encode())
    with serving_raw(act=sends(reply)) as server:
        with pytest.raises(ServerError):
            # The next request would go out half a second later at the earliest; a wait that is too long ends at once.
            ask(server.url, within=4.0 if tries == 1 else 1.9 if after == "1" else 1.4)
        assert len(server.requests) == tries


def test_a_dropped_connection_is_asked_once_more() -> None:
    """If the server closes a kept connection as the request goes out, the request is sent again on a new one."""
    seen: list[str] = []

    def drop_the_second(request: Request) -> bool:
        seen.append(request.path)
        if len(seen) == 2:
            return False
        request.send(answer(b"[]"))
        return True

    asked = RequestRecorder()
    with serving_raw(act=drop_the_second) as server:
        ask(server.url, times=2, asked=asked)
        assert len(seen) == 3
        assert server.connections == 2
    assert asked.codes == ["200", "unreachable", "200"]


def test_a_new_connection_that_breaks_is_not_asked_again() -> None:
    """If the server closes a new connection without an answer, the request is not sent again."""
    asked = RequestRecorder()
    with serving_raw(act=lambda _: False) as server:
        with pytest.raises(UnreachableError):
            ask(server.url, asked=asked)
        assert len(server.requests) == 1
    assert asked.codes == ["unreachable"]


def test_two_dropped_connections_are_a_failure() -> None:
    """After one repetition a dropped connection is a failure."""
    replies = iter([True, False, False])

    def drop(request: Request) -> bool:
        good = next(replies)
        if good:
            request.send(answer(b"[]"))
        return good

    asked = RequestRecorder()
    with serving_raw(act=drop) as server, pytest.raises(UnreachableError):
        ask(server.url, times=2, asked=asked)
    assert asked.codes == ["200", "unreachable", "unreachable"]


def test_an_idle_connection_is_given_up_before_the_server_does() -> None:
    """Feldera closes after 5 s; a connection that was idle for longer than 4 s is not used again."""
    with serving_raw(act=sends(answer(b"[]"), keep=True)) as server:
        ask(server.url, times=2)
        assert server.connections == 1
        ask(server.url, times=2, pause=4.1)
        assert server.connections == 3


@pytest.mark.parametrize("where", ["connected", "headers", "body", "drip", "refusal"])
def test_the_deadline_bounds_everything(where: str) -> None:
    """Whatever part of an answer is slow, the client gives up in time."""

    def slow(request: Request) -> None:
        if where == "headers":
            request.send(b"HTTP/1.1 200 OK\r\nContent-")
        if where == "body":
            request.send(answer(b"[", length=100))
        if where == "refusal":
            request.send(answer(b"[", "500 No", length=100))
        if where == "drip":
            request.send(answer(b"", length=1000))
            for _ in range(100):
                request.send(b" ")
                request.pause(0.05)
        request.pause(10)

    asked = RequestRecorder()
    with serving_raw(act=slow) as server:
        began = time.monotonic()
        with pytest.raises(DeadlineError, match="no complete response within the timeout"):
            ask(server.url, within=0.4, asked=asked)
        assert time.monotonic() - began < 5
    assert asked.codes == ["timeout"]


def test_many_timeouts_leave_no_connection_taken() -> None:
    """After more timeouts than there are connections the next request is answered."""
    with serving_raw(act=lambda request: request.pause(10)) as server:
        for _ in range(3):
            with pytest.raises(DeadlineError):
                ask(server.url, within=0.05, times=12)
        server.act = sends(answer(b"[]"))
        ask(server.url)


@pytest.mark.parametrize("packed", [False, True])
def test_a_body_has_a_limit(packed: bool) -> None:  # noqa: FBT001
    """A body of exactly the limit is accepted, one byte more is not; the status is counted in any case."""
    for size, accepted in ((1000, True), (1001, False)):
        body = b" " * size
        reply = answer(gzip(body), content_encoding="gzip") if packed else answer(body)
        asked = RequestRecorder()
        with serving_raw(act=sends(reply)) as server:
            if accepted:
                assert len(ask(server.url, limit=1000, asked=asked).body) == size
            else:
                with pytest.raises(TooLargeError, match="longer than 1000 bytes"):
                    ask(server.url, limit=1000, asked=asked)
        assert asked.codes == ["200"]


def test_an_event_is_as_long_as_its_error() -> None:
    """The configured limit of an answer does not apply to an event, so that a long error can be read."""
    body = error_value("RuntimeError.WorkerPanic", "x" * 5000)
    with serving_raw(act=sends(answer(body))) as server:
        assert bytes(ask(server.url, EVENT, "name", "id", limit=1000).body) == body


def test_a_list_comes_in_batches() -> None:
    """A list comes in batches, compressed or not; errors do not make it too long, and equal batches are reused."""
    listed = [{"id": "x", "name": "a", "deployment_error": {"message": "x" * 3 * MB, "error_code": "E"}}]
    body = json.dumps(listed * 3).encode()

    async def run(url: str) -> None:
        client = Client(url, api_key=lambda: KEY, tls=None, max_response_size=4000, observe=RequestRecorder())
        try:
            first = await client.list(within=5)
            again = await client.list(first.body, within=5)
            with pytest.raises(TooLargeError):
                await client.get(PIPELINES, within=5)
        finally:
            await client.close()
        assert sum(len(batch.raws) for batch in first.body) == 3
        assert [a is b for a, b in zip(first.body, again.body, strict=True)] == [True] * len(first.body)
        assert sum(len(batch.text) for batch in first.body) < 250_000

    for reply in (answer(body), answer(gzip(body), content_encoding="gzip")):
        with serving_raw(act=sends(reply)) as server:
            asyncio.run(run(server.url))


def test_a_bomb_is_defused() -> None:
    """A small gzip body that becomes a gigabyte is given up at the limit."""
    with (
        serving_raw(act=sends(answer(BOMB, content_encoding="gzip"))) as server,
        pytest.raises(TooLargeError),
    ):
        ask(server.url, limit=4 * MB)


def test_endless_compressed_nothing_has_a_limit_too() -> None:
    """A compressed body that grows although it decompresses to nothing is refused as well."""
    with (
        serving_raw(
            act=sends(answer(gzip(b"")[:10] + b"\x00\x00\x00\xff\xff" * 4000, content_encoding="gzip"))
        ) as server,
        pytest.raises(TooLargeError),
    ):
        ask(server.url, limit=10_000)


def test_a_redirect_is_not_followed() -> None:
    """A redirect is not followed, so that the key goes nowhere else."""
    with serving_raw(act=sends(answer(b"[]"))) as elsewhere:
        moved = answer(b"", "307 Temporary Redirect", "", Location=f"{elsewhere.url}/v0/pipelines")
        with (
            serving_raw(act=sends(moved)) as server,
            pytest.raises(ServerError, match="redirects are not followed"),
        ):
            ask(server.url)
        assert elsewhere.requests == []


def test_no_cookie_is_kept() -> None:
    """A cookie of the server is not sent back."""
    with serving_raw(act=sends(answer(b"[]", Set_Cookie="a=b"))) as server:
        ask(server.url, times=2)
        assert all("cookie" not in request.headers for request in server.requests)


@pytest.mark.parametrize(
    "reply",
    [
        answer(error_value("AuthenticationFailed", f"Wrong: {KEY}"), "401 Unauthorized"),
        answer(error_value("AuthenticationFailed", "x" * 280 + KEY), "401 Unauthorized"),
        answer(error_value(KEY), "503 Later"),
        answer(b"", f"500 {KEY}"),
        answer(b"[]", content_type=f"text/plain; key={KEY}"),
        answer(b"[]", content_encoding=KEY),
        f"HTTP/1.1 2xx {KEY}\r\n\r\n".encode(),
    ],
)
def test_no_error_repeats_the_key(reply: bytes) -> None:
    """If a server echoes the key, no error contains it, not even half of it."""
    with serving_raw(act=sends(reply)) as server, pytest.raises(FelderaError) as caught:
        ask(server.url, within=0.4)
    assert KEY not in str(caught.value)
    assert KEY[:12] not in str(caught.value)
    assert len(str(caught.value)) <= 301


@pytest.mark.parametrize("key", ["k3y", "0123456"])
def test_a_short_key_is_hidden_too(key: str) -> None:
    """A short key is removed from error texts."""
    with (
        serving_raw(act=sends(answer(error_value("Bad", f"not {key}"), "401 No"))) as server,
        pytest.raises(UnauthorizedError, match=r"401 No: Bad: not \*\*\*"),
    ):
        ask(server.url, key=lambda: key)


def test_a_short_header_leaves_errors_readable() -> None:
    """The value of a header is removed from error texts, unless it may be in them by chance."""
    error = UnreachableError("nothing listens at 127.0.0.1:1, not-the-tenant")
    text = "nothing listens at 127.0.0.1:1, ***"
    assert str(redacted(error, None, "1", "not-the-tenant")) == text


@pytest.mark.parametrize(("status", "seconds"), [("429 No", 30.0), ("500 No", 30.0)])
def test_a_refusal_says_for_how_long_to_wait(status: str, seconds: float) -> None:
    """A refusal carries the Retry-After for callers that wait longer."""
    with serving_raw(act=sends(answer(b"", status, Retry_After="30"))) as server:
        with pytest.raises(ServerError) as caught:
            ask(server.url)
        assert caught.value.retry_after == seconds


def test_a_text_of_the_server_is_one_line() -> None:
    """Line breaks and control characters of a server's message do not reach the log."""
    reply = answer(error_value("Bad", "a\nlevel=info\x1b[31m\u2028b"), "500 No")
    with serving_raw(act=sends(reply)) as server, pytest.raises(ServerError) as caught:
        ask(server.url)
    assert str(caught.value) == "500 No: Bad: a level=info [31m b"


def test_the_key_is_asked_for_each_time() -> None:
    """A key that was rotated is used by the next request, also by a repetition."""
    keys = iter(["first-key", "second-key", "third-key"])
    replies = iter([answer(b"[]"), answer(b"", "503 Later", ""), answer(b"[]")])
    with serving_raw(act=lambda request: request.send(next(replies))) as server:
        ask(server.url, key=lambda: next(keys), times=2)
        sent = [request.headers["authorization"] for request in server.requests]
    assert sent == ["Bearer first-key", "Bearer second-key", "Bearer third-key"]


@settings(max_examples=example_count(60), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    data=st.one_of(
        st.binary(max_size=300),
        st.binary(max_size=200).map(lambda noise: b"HTTP/1.1 200 OK\r\n" + noise + b"\r\n\r\n" + noise),
        st.binary(max_size=200).map(lambda noise: answer(noise, content_encoding="gzip")),
        st.binary(max_size=100).map(lambda noise: b"HTTP/1.1 " + noise + b"\r\n\r\n"),
        st.binary(max_size=100).map(
            lambda noise: (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: json\r\n\r\n" + noise
            )
        ),
    )
)
def test_whatever_comes_is_an_answer_or_one_of_the_errors(data: bytes) -> None:
    """Whatever bytes come, the client returns an answer or raises one of its errors."""
    with serving_raw(act=sends(data)) as server, suppress(FelderaError):
        assert ask(server.url, within=1.0).elapsed > 0
