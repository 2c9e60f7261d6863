"""Reads requests and sends responses over ASGI, as Feldera's HTTP server actix does."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from isal import igzip

from feldera_exporter.simulator.http_messages import HttpAnswer, HttpRequest

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def read(scope: Scope, receive: Receive) -> HttpRequest:
    """Read a whole request."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return HttpRequest(
        scope["method"],
        unquote(scope["path"]),
        dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]},
        body,
    )


async def respond(request: HttpRequest, answer: HttpAnswer, receive: Receive, send: Send) -> None:
    """Send an answer, whole or as a stream; packed, and then without its length, if that is accepted."""
    body, headers = answer.body, dict(answer.headers)
    if answer.content_type:
        headers["content-type"] = answer.content_type
    plain = answer.stream is None and "content-encoding" not in headers
    if body and plain and "gzip" in request.headers.get("accept-encoding", ""):
        body = answer.packed or igzip.compress(body, 1)
        headers |= {"content-encoding": "gzip", "vary": "accept-encoding"}
    elif answer.stream is None:
        headers["content-length"] = str(len(body))
    pairs = [(key.encode(), value.encode()) for key, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
    if answer.stream is not None:
        gone = asyncio.ensure_future(receive())
        try:
            async for piece in answer.stream():
                if gone.done():
                    return
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        finally:
            gone.cancel()
        body = b""
    await send({"type": "http.response.body", "body": body})
