"""Reads requests and sends responses over ASGI, as Feldera's HTTP server actix does."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any, cast
from urllib.parse import parse_qsl, unquote

from isal import igzip

from feldera_exporter.simulator.http_messages import Answer, Request

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


async def read(scope: Scope, receive: Receive) -> Request:
    """Read a whole request."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return Request(
        scope["method"],
        unquote(scope["path"]),
        dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]},
        body,
    )


async def outlasts(delay: Coroutine[Any, Any, None], receive: Receive) -> bool:
    """Wait, and return whether the client is still there afterwards."""
    waiting = asyncio.ensure_future(delay)
    gone = asyncio.ensure_future(receive())
    try:
        await asyncio.wait({waiting, gone}, return_when=asyncio.FIRST_COMPLETED)
        return waiting.done()
    finally:
        waiting.cancel()
        gone.cancel()


async def respond(request: Request, answer: Answer, receive: Receive, send: Send) -> None:
    """Send an answer, whole or as a stream; packed, and then without its length, if that is accepted."""
    if answer.cut:
        # ASGI knows no way to hang up: uvicorn's `send` is a method of what holds the connection.
        cast("Any", send).__self__.transport.abort()
        return
    body, headers = answer.body, dict(answer.headers)
    if answer.content_type:
        headers["content-type"] = answer.content_type
    plain = answer.stream is None and answer.length is None and "content-encoding" not in headers
    if body and plain and "gzip" in request.headers.get("accept-encoding", ""):
        body = answer.packed or igzip.compress(body, 1)
        headers |= {"content-encoding": "gzip", "vary": "accept-encoding"}
    elif answer.stream is None or answer.length is not None:
        headers["content-length"] = str(len(body) if answer.length is None else answer.length)
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
