"""Reading details sends few requests, does not wait long, and gives a reason where there is no answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from feldera_exporter.feldera.client import Client
from feldera_exporter.pages.latest_events import LatestEvents
from feldera_exporter.polling import pipeline_details
from feldera_exporter.polling.pipeline_details import MAX_REQUESTS, PipelineDetails
from feldera_exporter.simulator.asgi_thread import serve
from pages.test_timeline import event

NEWEST = event(5, deployment_has_error=True)
ERROR = {"message": "It broke.", "error_code": "WorkerPanic", "details": {"worker": 3}}


@dataclass
class EventLogServer:
    """Serves event logs as configured.

    Attributes:
        status: of its answers.
        body: of an answer without success, or instead of the log.
        delay: seconds before each.
        paths: what it was asked for.
        most: how many requests it had at once.
        full: the body for one event, None for a good one.
        log: the body for the events.
    """

    status: int = 200
    body: bytes | None = None
    delay: float = 0.0
    paths: list[str] = field(default_factory=list)
    most: int = 0
    present: int = 0
    full: bytes | None = None
    log: bytes = msgspec.json.encode([NEWEST])

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        """Answer one request."""
        self.paths.append(scope["path"])
        self.present += 1
        self.most = max(self.most, self.present)
        await asyncio.sleep(self.delay)
        self.present -= 1
        body = self.body
        if body is None and scope["path"].endswith("/events"):
            body = self.log
        elif body is None:
            body = self.full or msgspec.json.encode({"event_id": "e", "deployment_error": ERROR})
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
def feldera() -> EventLogServer:
    """Return a Feldera that answers well."""
    return EventLogServer()


@pytest.fixture
def url(feldera: EventLogServer) -> Iterator[str]:
    """Serve it."""
    with serve(feldera) as address:
        yield address


@asynccontextmanager
async def looking(url: str) -> AsyncIterator[PipelineDetails]:
    """Look up at an address while the context lasts."""
    client = Client(url, api_key=lambda: None, tls=None, max_response_size=2**20, observe=lambda *_: None)
    try:
        yield PipelineDetails(lambda name: client if name == "one" else None)
    finally:
        await client.close()


def asked(url: str, ask: Callable[[PipelineDetails], Awaitable[Any]]) -> Any:
    """Return the result of a request for details."""

    async def look() -> Any:
        async with looking(url) as found:
            return await ask(found)

    return asyncio.run(look())


def recent(url: str, instance: str = "one") -> LatestEvents:
    """Return the latest events of pipeline `a`."""
    found = asked(url, lambda look: look.recent(instance, "id", "a"))
    assert isinstance(found, LatestEvents)
    return found


def test_the_log_and_the_newest_event(feldera: EventLogServer, url: str) -> None:
    """Two requests are sent; the second answer has the error's details."""
    found = recent(url)
    assert (found.events, found.problem) == ([NEWEST], "")
    assert found.newest is not None
    assert found.newest.deployment_error is not None
    assert bytes(found.newest.deployment_error.details) == b'{"worker":3}'
    assert feldera.paths == ["/v0/pipelines/a/events", f"/v0/pipelines/a/events/{NEWEST.event_id}"]


def test_an_empty_log(feldera: EventLogServer, url: str) -> None:
    """A pipeline that did not change since Feldera keeps logs has no newest event."""
    feldera.body = b"[]"
    assert recent(url) == LatestEvents([])
    assert len(feldera.paths) == 1


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (404, b"", "has no event log"),
        (404, b'{"message":"Unknown","error_code":"UnknownPipelineName"}', "no longer has this pipeline"),
        (500, b"{}", "500"),
        (200, b"{}", "unexpected body"),
    ],
)
def test_why_there_is_no_answer(
    feldera: EventLogServer, url: str, status: int, body: bytes, problem: str
) -> None:
    """The reason is one line."""
    feldera.status, feldera.body = status, body
    found = recent(url)
    assert found.events is None
    assert problem in found.problem
    assert "\n" not in found.problem


def test_the_log_is_kept_where_the_newest_event_fails(feldera: EventLogServer, url: str) -> None:
    """If the newest event cannot be read, the log is shown without it."""
    feldera.full = b"[]"
    found = recent(url)
    assert found.events == [NEWEST]
    assert found.newest is None
    assert "unexpected body" in found.problem


def test_an_instance_that_is_gone(url: str) -> None:
    """An instance that a reload removed has no log."""
    assert recent(url, "other").problem == "the configuration no longer has this instance"


def test_feldera_may_be_slow(feldera: EventLogServer, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow answer is not waited for longer than its limit."""
    monkeypatch.setattr(pipeline_details, "TIMEOUT", 0.2)
    feldera.delay = 5
    assert recent(url).problem


def test_a_few_at_once(feldera: EventLogServer, url: str) -> None:
    """The number of requests at once is bounded, and equal requests are sent once."""
    feldera.delay = 0.02

    async def crowd(look: PipelineDetails) -> list[LatestEvents]:
        names = [f"p{n}" for n in range(6)] * 5
        return await asyncio.gather(*(look.recent("one", name, name) for name in names))

    found = asked(url, crowd)
    assert all(not each.problem for each in found)
    assert feldera.most == MAX_REQUESTS
    assert len(feldera.paths) == 12


def test_a_wait_that_is_too_long_is_an_error(
    feldera: EventLogServer, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit also holds while requests about other pipelines come first."""
    monkeypatch.setattr(pipeline_details, "TIMEOUT", 0.3)
    feldera.delay = 0.25

    async def crowd(look: PipelineDetails) -> list[LatestEvents]:
        return await asyncio.gather(*(look.recent("one", str(n), str(n)) for n in range(8)))

    assert "Feldera did not answer in time" in {each.problem for each in asked(url, crowd)}


def test_an_answer_is_shown_again_for_seconds(
    feldera: EventLogServer, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer is reused for some seconds and then requested again."""

    async def twice(look: PipelineDetails) -> None:
        await look.recent("one", "id", "a")
        await look.recent("one", "id", "a")

    asked(url, twice)
    assert len(feldera.paths) == 2
    monkeypatch.setattr(pipeline_details, "MAX_AGE", 0.0)
    asked(url, twice)
    assert len(feldera.paths) == 6


SQL = {
    "message": "no table t",
    "error_type": "Not found",
    "start_line_number": 2,
    "start_column": 8,
    "snippet": "2| t\n",
}
WARNED = {**SQL, "warning": True}


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (None, ""),
        ({"system_error": "no disk"}, "no disk"),
        (
            {"sql_compilation": {"exit_code": 1, "messages": [WARNED, SQL, {**SQL, "snippet": None}]}},
            "SQL line 2, column 8: Not found: no table t\n2| t\n\nSQL line 2, column 8: Not found: no table t",
        ),
        ({"rust_compilation": {"exit_code": 101, "stdout": "", "stderr": "error[E0425]"}}, "error[E0425]"),
        ({"rust_compilation": {"exit_code": 0, "stdout": "", "stderr": "warning"}}, ""),
    ],
)
def test_compiler_errors(feldera: EventLogServer, url: str, error: object, text: str) -> None:
    """SQL errors have their position, Rust errors the compiler's output; warnings are left out."""
    feldera.body = msgspec.json.encode({"description": "Joins.", "program_error": error})
    found = asked(url, lambda look: look.program("one", "id", "a", failed=True))
    assert (found.description, found.errors) == ("Joins.", text)
    assert feldera.paths == ["/v0/pipelines/a"]


@pytest.mark.parametrize(("instance", "body"), [("other", b"{}"), ("one", b"[]")])
def test_without_an_answer_there_is_no_description(
    feldera: EventLogServer, url: str, instance: str, body: bytes
) -> None:
    """A removed instance and a failed answer give no description."""
    feldera.body = body
    found = asked(url, lambda look: look.program(instance, "id", "a", failed=False))
    assert (found.description, found.errors) == ("", "")
