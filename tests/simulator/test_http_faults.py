"""Each fault changes the answers of its route until it is cleared."""

import gzip
import json
import time
import tracemalloc
from datetime import datetime

import httpx
import pytest

from feldera_exporter.simulator import http_faults
from feldera_exporter.simulator.failures import worker_panic
from feldera_exporter.simulator.http_faults import EVERY, Dropped, Fault, Hanging, Slow, Status, Together
from simulator.faulty_bodies import (
    BadUtf8,
    BrokenJson,
    DeepNesting,
    FractionDigits,
    GzipBomb,
    HugeBody,
    SkewedTimes,
    TruncatedBody,
)
from simulator.faulty_errors import LongErrors
from simulator.faulty_rows import ChangedFields, MissingFields, RepeatedElement, ReplacedElement, RowFault
from support import loopback
from support.simulated_api import ServedInstance

LIST = "/v0/pipelines?selector=status"


def spoiled(
    served: ServedInstance, fault: Fault, path: str = LIST, route: str = "pipelines"
) -> httpx.Response:
    """Return the answer with a fault."""
    served.server.faults.set(route, fault)
    return served.get(path)


def test_a_fault_is_set_and_cleared_by_route(served: ServedInstance) -> None:
    """`EVERY` is for routes without their own fault; a fault may last for some requests only."""
    assert spoiled(served, http_faults.SERVER_ERROR).status_code == 500
    assert served.get("/healthz").status_code == 200
    served.server.faults.set(EVERY, http_faults.FORBIDDEN)
    assert served.get("/healthz").status_code == 403
    assert served.get(LIST).status_code == 500
    served.server.faults.clear("pipelines")
    served.server.faults.clear("pipelines")
    assert served.get(LIST).status_code == 403
    served.server.faults.clear()
    assert served.get(LIST).status_code == 200
    served.server.faults.set("pipelines", http_faults.UNAVAILABLE, times=2)
    assert [served.get(LIST).status_code for _ in range(3)] == [503, 503, 200]


def test_the_empty_faults_change_nothing(served: ServedInstance) -> None:
    """A fault without a change leaves each answer as it is."""
    good = served.get(LIST).json()
    assert spoiled(served, Fault()).json() == good
    assert spoiled(served, RowFault()).json() == good


@pytest.mark.parametrize(
    ("fault", "status", "content_type", "body"),
    [
        (http_faults.HTML_PAGE, 200, "text/html; charset=utf-8", "<html>"),
        (http_faults.EMPTY_404, 404, None, ""),
        (http_faults.SERVER_ERROR, 500, "application/json", "InternalError"),
        (http_faults.BAD_GATEWAY, 502, "text/html; charset=utf-8", "502"),
        (http_faults.UNAVAILABLE, 503, "application/json", "LockTookTooLong"),
        (http_faults.UNAUTHORIZED, 401, "text/plain; charset=utf-8", "AuthenticationFailed"),
        (http_faults.FORBIDDEN, 403, "application/json", "InsufficientPermissions"),
        (http_faults.REDIRECT, 302, None, ""),
        (Status(418, b"tea"), 418, "text/plain; charset=utf-8", "tea"),
    ],
)
def test_another_status(
    served: ServedInstance, fault: Status, status: int, content_type: str | None, body: str
) -> None:
    """The status has its own body and type."""
    answer = spoiled(served, fault)
    assert (answer.status_code, answer.headers.get("content-type")) == (status, content_type)
    assert body in answer.text


def test_retry_after_and_location(served: ServedInstance) -> None:
    """The faults have these headers."""
    assert spoiled(served, http_faults.UNAVAILABLE_RETRY).headers["retry-after"] == "5"
    assert spoiled(served, http_faults.REDIRECT).headers["location"] == "/login"


def test_slow(served: ServedInstance) -> None:
    """The answer is right but late."""
    start = time.monotonic()
    assert spoiled(served, Slow(0.2)).status_code == 200
    assert time.monotonic() - start >= 0.2


def test_hanging(served: ServedInstance) -> None:
    """The request ends when the client disconnects."""
    served.server.faults.set("pipelines", Hanging())
    with pytest.raises(httpx.ReadTimeout):
        loopback.get(served.url + LIST, timeout=0.2)
    deadline = time.monotonic() + 5
    while served.server.in_flight and time.monotonic() < deadline:
        time.sleep(0.01)
    assert served.server.in_flight == 0


def test_dropped(served: ServedInstance) -> None:
    """The connection ends without an answer; the next request has a new one."""
    with pytest.raises(httpx.RemoteProtocolError):
        spoiled(served, Dropped())
    served.server.faults.clear()
    assert served.get(LIST).status_code == 200


def test_truncated(served: ServedInstance) -> None:
    """The body is shorter than its Content-Length."""
    with pytest.raises(httpx.RemoteProtocolError):
        spoiled(served, TruncatedBody(0.3))


def test_cut(served: ServedInstance) -> None:
    """The body has its Content-Length, and is broken JSON."""
    answer = spoiled(served, BrokenJson())
    with pytest.raises(json.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize("declared", [True, False])
def test_huge(served: ServedInstance, *, declared: bool) -> None:
    """The body is valid JSON of that size, which the server never holds."""
    assert served.client is not None
    served.server.faults.set("pipelines", HugeBody(30_000_000, declared=declared))
    size = 0
    tracemalloc.start()
    with served.client.stream("GET", LIST) as answer:
        assert ("content-length" in answer.headers) == declared
        for piece in answer.iter_raw():
            size += len(piece)
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 29_000_000 < size <= 30_000_002
    assert held < 10_000_000


def test_gzip_bomb(served: ServedInstance) -> None:
    """The body unpacks to a thousand times its size, whatever was accepted."""
    assert served.client is not None
    served.server.faults.set("pipelines", GzipBomb(10_000_000))
    with served.client.stream("GET", LIST, headers={"accept-encoding": "identity"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert len(raw) < 20_000
    assert len(gzip.decompress(raw)) > 9_000_000


def test_deep(served: ServedInstance) -> None:
    """The nesting is too deep for a parser."""
    with pytest.raises(RecursionError):
        spoiled(served, DeepNesting()).json()


def test_bad_utf8(served: ServedInstance) -> None:
    """The body is no UTF-8."""
    with pytest.raises(UnicodeDecodeError):
        spoiled(served, BadUtf8()).content.decode()


@pytest.mark.parametrize(
    ("digits", "end"), [(0, ":00Z"), (3, ":00.000Z"), (6, ":00.000000Z"), (9, ":00.000000000Z")]
)
def test_fractions_of_seconds(served: ServedInstance, digits: int, end: str) -> None:
    """Every timestamp has so many digits."""
    (row,) = spoiled(served, FractionDigits(digits)).json()
    assert row["created_at"] == f"2026-08-21T12:00{end}"
    length = len("2026-08-21T12:00:00Z") + (digits + 1 if digits else 0)
    assert all(len(value) == length for key, value in row.items() if key.endswith("since") and value)


def test_a_skewed_clock(served: ServedInstance) -> None:
    """The Date header is moved, alone or with every timestamp."""
    good = served.get(LIST)
    bad = spoiled(served, SkewedTimes(-120, timestamps=False))
    assert (good.headers["date"][-12:], bad.headers["date"][-12:]) == ("12:02:00 GMT", "12:00:00 GMT")
    assert bad.json() == good.json()
    worse = spoiled(served, SkewedTimes(3600))
    assert worse.headers["date"][-12:] == "13:02:00 GMT"
    ((here,), (there,)) = (good.json(), worse.json())
    for field in here:
        if field == "created_at" or (field.endswith("since") and here[field]):
            moved = datetime.fromisoformat(there[field]) - datetime.fromisoformat(here[field])
            assert moved.total_seconds() == 3600
            assert len(there[field]) == len(here[field])
        else:
            assert here[field] == there[field]


def test_rows(served: ServedInstance) -> None:
    """One or all elements have other values, lack fields, are something else, or come twice."""
    for name in "bc":
        served.feldera.create(name)
    good = served.get(LIST).json()
    with_status = spoiled(
        served, ChangedFields(row=1, fields={"program_status": "Dreaming", "new": {"x": 1}})
    ).json()
    assert with_status == [good[0], {**good[1], "program_status": "Dreaming", "new": {"x": 1}}, good[2]]
    without = spoiled(served, MissingFields(fields=("name", "tags"))).json()
    assert all(
        set(full) - set(reduced) == {"name", "tags"} for full, reduced in zip(good, without, strict=True)
    )
    assert spoiled(served, ReplacedElement(row=-1, value=7)).json() == [*good[:2], 7]
    assert spoiled(served, RepeatedElement(row=0, times=3)).json() == [good[0], *good[:1], *good]


def test_one_object_and_an_empty_list(served: ServedInstance) -> None:
    """A row fault also changes a single object, and leaves errors alone."""
    full = spoiled(served, ChangedFields(fields={"id": 5}), "/v0/pipelines/a", "pipeline").json()
    assert full["id"] == 5
    assert spoiled(served, MissingFields(fields=("message",)), "/v0/pipelines/b", "pipeline").json()[
        "message"
    ]
    served.feldera.stop("a", force=True)
    served.go(10)
    served.feldera.clear("a")
    served.go(10)
    served.feldera.delete("a")
    assert spoiled(served, ChangedFields(fields={"id": 5})).json() == []


def test_several_at_once(served: ServedInstance) -> None:
    """Several faults are applied in their order."""
    start = time.monotonic()
    answer = spoiled(served, Together((Slow(0.1), ChangedFields(fields={"x": 1}), FractionDigits(0))))
    assert time.monotonic() - start >= 0.1
    assert (answer.json()[0]["x"], answer.json()[0]["created_at"]) == (1, "2026-08-21T12:00:00Z")


@pytest.mark.parametrize("kilobytes", [1, 100, 3000])
def test_a_panic_of_every_worker_is_long(served: ServedInstance, kilobytes: int) -> None:
    """The list has the whole message, while events by status stay short."""
    served.feldera.inject.crash("a", worker_panic(kilobytes))
    served.go(10)
    answer = served.get(LIST)
    error = answer.json()[0]["deployment_error"]
    assert error["error_code"] == "RuntimeError.WorkerPanic"
    assert len(error["details"]["panic_info"]) == max(1, kilobytes // 16)
    assert error["details"]["panic_info"][0][2]["backtrace"] in error["message"]
    assert kilobytes * 1024 <= len(answer.content) < kilobytes * 1100 + 4096
    assert len(served.get("/v0/pipelines/a/events").content) < 10_000


def test_long_errors(served: ServedInstance) -> None:
    """Errors that are set get longer by so much, and nothing else changes."""
    served.feldera.create("b")
    served.feldera.inject.crash("a", "InputTransportError")
    served.go(10)
    good = served.get(LIST)
    answer = spoiled(served, LongErrors(2000))
    assert len(answer.content) - len(good.content) == pytest.approx(2000 * 1024, abs=100)
    rows = answer.json()
    assert len(rows[0]["deployment_error"]["message"]) > 1_900_000
    assert rows[1] == good.json()[1]
    rows[0]["deployment_error"] = good.json()[0]["deployment_error"]
    assert rows == good.json()
