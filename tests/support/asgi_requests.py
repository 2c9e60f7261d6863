"""Requests to an ASGI application in this process."""

import asyncio
from typing import Any

from feldera_exporter.server.asgi import Asgi


async def answered(app: Asgi, url: str) -> tuple[int, bytes]:
    """Return the status and the body of the answer to a GET."""
    path, _, query = url.partition("?")
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": []}
    await app(scope, receive, send)
    return sent[0]["status"], b"".join(each["body"] for each in sent[1:])
