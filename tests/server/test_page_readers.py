"""Many readers of pages at a time."""

import asyncio
import gc
import threading
import time
import weakref
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

import pytest

from feldera_exporter.app import Options, exporting
from feldera_exporter.config import Configuration, Instance
from feldera_exporter.pages.html_rendering import render
from feldera_exporter.publisher import Publisher
from feldera_exporter.server import html_pages
from feldera_exporter.server.asgi import application
from feldera_exporter.server.listener import bind
from feldera_exporter.server.page_cache import MAX_AGE, PageCache
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.server import FelderaServer
from feldera_exporter.telemetry import Telemetry
from hostile.test_mistakes import soon
from support.asgi_requests import answered
from support.page_examples import page_state, pipeline
from support.served_pages import FixedPageSource, app
from support.two_instances import feldera

SIZE: Final = 50


class _Shown:
    """A value that a page shows."""


def test_a_page_is_rendered_once_for_all_who_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """And for those who ask within the next second, unless there is news; a reader who goes away takes it from no other."""
    rendered: list[None] = []
    go_on = threading.Event()

    def render(*_: object, **__: object) -> bytes:
        rendered.append(None)
        go_on.wait(20)
        return b"A page: %d." % len(rendered)

    monkeypatch.setattr("feldera_exporter.server.html_pages.render", render)

    async def run() -> None:
        source = FixedPageSource(page_state())
        site = app(source)
        asked = [asyncio.create_task(answered(site, "/")) for _ in range(300)]
        await asyncio.sleep(0.05)
        asked.pop(0).cancel()
        go_on.set()
        assert {*await asyncio.gather(*asked)} == {(200, b"A page: 1.")}
        assert await answered(site, "/") == (200, b"A page: 1.")
        assert await answered(site, "/?name=a") == (200, b"A page: 2.")
        source.known = page_state()
        assert await answered(site, "/") == (200, b"A page: 3.")
        assert await answered(site, "/") == (200, b"A page: 3.")
        await asyncio.sleep(MAX_AGE + 0.1)
        assert await answered(site, "/") == (200, b"A page: 4.")

    try:
        asyncio.run(run())
    finally:
        go_on.set()


def test_a_page_that_no_reader_waits_for_is_not_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that has begun ends; the place of the others is free at once."""
    rendered: list[None] = []
    go_on = threading.Event()

    def render(*_: object, **__: object) -> bytes:
        rendered.append(None)
        go_on.wait(20)
        return b"A page."

    monkeypatch.setattr("feldera_exporter.server.html_pages.render", render)

    async def run() -> None:
        site = app(FixedPageSource(page_state()))
        for _ in range(3):
            asked = [asyncio.create_task(answered(site, f"/?name={number}")) for number in range(32)]
            await asyncio.sleep(0.05)
            assert (await answered(site, "/"))[0] == 503
            for each in asked:
                each.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        last = asyncio.create_task(answered(site, "/"))
        await asyncio.sleep(0.05)
        go_on.set()
        assert await last == (200, b"A page.")
        assert len(rendered) == 2

    try:
        asyncio.run(run())
    finally:
        go_on.set()


def test_similar_names_are_found_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other requests are answered while names similar to an unknown one are being found."""
    go_on = threading.Event()
    waited: list[bool] = []

    def similar(*_: object) -> list[str]:
        waited.append(go_on.wait(5))
        return []

    monkeypatch.setattr("feldera_exporter.pages.missing_page.get_close_matches", similar)

    async def run() -> None:
        site = app(FixedPageSource(page_state(pipeline("a"))))
        asked = asyncio.create_task(answered(site, "/pipelines/demo/b"))
        await asyncio.sleep(0.05)
        assert await answered(site, "/-/healthy") == (200, b"Healthy.\n")
        go_on.set()
        assert (await asked)[0] == 404

    asyncio.run(run())
    assert waited == [True]


def test_few_pages_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """With thousands of pipelines each has megabytes; those that were rendered last are kept."""
    rendered: list[None] = []

    def render(*_: object, **__: object) -> bytes:
        rendered.append(None)
        return b"A page."

    monkeypatch.setattr("feldera_exporter.server.html_pages.render", render)

    async def run() -> None:
        site = app(FixedPageSource(page_state()))
        for number in [*range(6), 5, 4, 3, 2]:
            await answered(site, f"/?name={number}")
        assert len(rendered) == 6
        await answered(site, "/?name=1")
        assert len(rendered) == 7

    asyncio.run(run())


def test_pages_are_dropped_without_another_request() -> None:
    """What is not kept is free at once, and everything is after a second."""

    async def run() -> None:
        cache = PageCache()
        shown: weakref.WeakSet[_Shown] = weakref.WeakSet()

        async def ask(number: int) -> None:
            value = _Shown()
            shown.add(value)
            assert await cache.page(number, [value], lambda: b"A page.") == b"A page."

        for number in range(100):
            await ask(number)
        gc.collect()
        assert len(shown) <= 4
        await asyncio.sleep(MAX_AGE + 0.1)
        gc.collect()
        assert not shown

    asyncio.run(run())


def test_a_missing_pipeline_gets_the_page_of_its_status() -> None:
    """Before the first list of pipelines its page is another one than after it."""
    unread, read = page_state(), page_state(pipeline("a"))
    [watched] = unread.instances
    waiting = replace(watched, fleet=replace(watched.fleet, up=None, read_at=0))
    source = FixedPageSource(replace(unread, instances=[waiting]))

    async def run() -> None:
        site = app(source)
        first = await answered(site, "/pipelines/demo/b")
        source.known = read
        second = await answered(site, "/pipelines/demo/b")
        assert (first[0], second[0]) == (503, 404)
        assert first[1] != second[1]

    asyncio.run(run())


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


@pytest.mark.parametrize("path", ["/", "/?name=%d"], ids=["the same page", "different pages"])
def test_abandoned_requests_cost_nothing(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Of 300 readers who do not wait: polls go on meanwhile, and few pages are rendered for them."""
    rendered: list[float] = []
    polled: list[float] = []
    published = Publisher.publish

    def counted(*arguments: Any, **values: Any) -> bytes:
        rendered.append(time.monotonic())
        # As with thousands of pipelines.
        time.sleep(0.1)
        return render(*arguments, **values)

    def noted(publisher: Publisher, *arguments: Any) -> None:
        polled.append(time.monotonic())
        published(publisher, *arguments)

    monkeypatch.setattr(html_pages, "render", counted)
    monkeypatch.setattr(Publisher, "publish", noted)

    async def run(url: str) -> None:
        instance = Instance("prod", url, poll_interval=1.0, timeout=1.0)
        listener = bind("127.0.0.1:0")
        host, port = listener.getsockname()
        async with exporting(lambda: Configuration((instance,)), [listener], Options()) as exporter:
            await soon(lambda: exporter.publisher.observed["prod"].fleet.size == SIZE)
            clients = [await asyncio.open_connection(host, port) for _ in range(300)]
            began, first = time.monotonic(), len(polled)
            for number, (_, writer) in enumerate(clients):
                address = path % number if "%" in path else path
                writer.write(f"GET {address} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
            await asyncio.sleep(0.2)
            for _, writer in clients:
                writer.transport.abort()
            await asyncio.sleep(3)
            pauses = [
                after - before for before, after in pairwise([began, *polled[first:], time.monotonic()])
            ]
            # Polls are a second apart; the stand-in and the clients share this process.
            assert max(pauses) < 5, pauses
            assert len(rendered) <= 16

    with serve(FelderaServer(feldera(*(f"p{number}" for number in range(SIZE))))) as url:
        asyncio.run(run(url))


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
