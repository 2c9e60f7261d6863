"""Clients that go away, and more of them than there is time for."""

import asyncio
import threading
from typing import Any

import pytest

from feldera_exporter.publisher import Publisher
from feldera_exporter.server.asgi import Asgi, application
from feldera_exporter.server.http_messages import Page, Reply, Request, text_reply
from feldera_exporter.server.worker_threads import WAITING, WorkerThreads
from feldera_exporter.telemetry import Telemetry


class Client:
    """Asks for a page."""

    def __init__(self) -> None:
        self._gone = asyncio.Event()
        self.sent: list[dict[str, Any]] = []

    async def ask(self, app: Asgi) -> None:
        """Ask, and wait for the answer."""
        await app({"method": "GET", "path": "/page", "headers": []}, self._receive, self._send)

    def leave(self) -> None:
        """Go away."""
        self._gone.set()

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)


def test_they_cost_nothing() -> None:
    """What was not begun for those who left is not done; beyond a bound, who comes is asked to come again."""
    rendered: list[None] = []
    go_on = threading.Event()

    def render() -> None:
        rendered.append(None)
        go_on.wait(20)

    async def run() -> None:
        threads = WorkerThreads(1)

        async def page(_: Request) -> Reply:
            await threads.do(render)
            return text_reply(200, "Rendered.\n")

        def find(_: Request) -> Page:
            return page

        app = application(Publisher(Telemetry("1", "3")), "/metrics", None, find)
        clients = [Client() for _ in range(300)]
        tasks = [asyncio.create_task(client.ask(app)) for client in clients]
        async with asyncio.timeout(20):
            while sum(bool(client.sent) for client in clients) < 300 - WAITING or not rendered:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            assert {client.sent[0]["status"] for client in clients if client.sent} == {503}
            waiting = [client for client in clients if not client.sent]
            for client in waiting[1:]:
                client.leave()
            await asyncio.sleep(0.05)
            go_on.set()
            await asyncio.gather(*tasks)
        assert waiting[0].sent[0]["status"] == 200
        assert not any(client.sent for client in waiting[1:])

    try:
        asyncio.run(run())
    finally:
        go_on.set()
    assert len(rendered) == 1


@pytest.mark.parametrize("path", ["/metrics", "/-/healthy"])
def test_a_request_with_a_body(path: str) -> None:
    """It is read past, whatever it is."""
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
