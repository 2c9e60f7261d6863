"""Many readers of pages at a time."""

import asyncio
import threading
from typing import Any

import pytest

from feldera_exporter.publisher import Publisher
from feldera_exporter.server.asgi import application
from feldera_exporter.telemetry import Telemetry
from support.asgi_requests import answered
from support.page_examples import page_state
from support.served_pages import FixedPageSource, app


def test_a_page_is_rendered_once_for_all_who_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting readers share a page, also if one disconnects; the next one gets a new page."""
    rendered: list[None] = []
    go_on = threading.Event()

    def render(*_: object, **__: object) -> bytes:
        rendered.append(None)
        go_on.wait(20)
        return b"A page."

    monkeypatch.setattr("feldera_exporter.server.html_pages.render", render)

    async def run() -> None:
        site = app(FixedPageSource(page_state()))
        asked = [asyncio.create_task(answered(site, "/")) for _ in range(300)]
        await asyncio.sleep(0.05)
        asked.pop().cancel()
        go_on.set()
        assert {status for status, _ in await asyncio.gather(*asked)} == {200}
        assert len(rendered) == 1
        assert await answered(site, "/") == (200, b"A page.")
        assert len(rendered) == 2

    try:
        asyncio.run(run())
    finally:
        go_on.set()


def test_too_many_pages_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of different pages at once is bounded; a failed one makes room for the next."""
    go_on = threading.Event()

    def render(*_: object, **__: object) -> bytes:
        go_on.wait(20)
        raise ZeroDivisionError

    monkeypatch.setattr("feldera_exporter.server.html_pages.render", render)

    async def run() -> None:
        site = app(FixedPageSource(page_state()))
        asked = [asyncio.create_task(answered(site, f"/?name={number}")) for number in range(300)]
        await asyncio.sleep(0.5)
        go_on.set()
        statuses = [status for status, _ in await asyncio.gather(*asked)]
        assert statuses == [500] * 32 + [503] * 268
        assert (await answered(site, "/"))[0] == 500

    try:
        asyncio.run(run())
    finally:
        go_on.set()


@pytest.mark.parametrize("path", ["/metrics", "/-/healthy"])
def test_a_request_with_a_body(path: str) -> None:
    """The body of a request is ignored."""
    messages: list[dict[str, Any]] = [{"type": "http.request"}, {"type": "http.request", "more_body": True}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    app = application(Publisher(Telemetry("1", "3")), "/metrics", None)
    asyncio.run(app({"method": "GET", "path": path, "headers": []}, receive, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == 200
