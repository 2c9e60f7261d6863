"""Requests to an ASGI application in this process, without a client's parsing of addresses and headers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec


async def answered(
    app: Callable[..., Awaitable[None]],
    url: str,
    method: str = "GET",
    body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, bytes]:
    """Return the status and the body of an answer.

    Args:
        app: the application.
        url: the path and the query, encoded as in a request.
        method: in capitals.
        body: what is sent as JSON, nothing if None.
        headers: by their names in small letters.
    """
    path, _, query = url.partition("?")
    content = b"" if body is None else msgspec.json.encode(body)
    requests: list[dict[str, Any]] = [{"type": "http.request", "body": content, "more_body": False}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if requests:
            return requests.pop()
        await asyncio.Event().wait()
        return {}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
    }
    await app(scope, receive, send)
    return sent[0]["status"], b"".join(each["body"] for each in sent[1:])
