"""The ASGI application: a table of pages, without a framework."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, Protocol

import structlog

from feldera_exporter.exposition.snapshot import Snapshot, chunks
from feldera_exporter.logs import FailureLog, source_location
from feldera_exporter.server.content_negotiation import accepts_gzip, format_for
from feldera_exporter.server.http_messages import Page, Reply, Request, text_reply

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

Reload = Callable[[], Awaitable[Sequence[str]]]
"""Loads the configuration again and returns its mistakes."""


class MetricsSource(Protocol):
    """The source of the metrics."""

    @property
    def snapshot(self) -> Snapshot:
        """The newest snapshot."""

    @property
    def ready(self) -> bool:
        """Whether the first poll of every instance has ended, well or not."""


Find = Callable[[Request], Page | None]
"""Returns the page for people at the path of a request; None where there is none."""

READING: Final = ("GET", "HEAD")

_ORIGIN: Final = re.compile(r"^https?://[^/]*", re.IGNORECASE)
"""What a client may write before the path, as to a proxy (RFC 9112, section 3.2.2)."""

_RENDERING: Final = ThreadPoolExecutor(1, "metrics")
"""The thread that renders and compresses the metrics: a snapshot renders one form at a time."""


def application(
    source: MetricsSource,
    telemetry_path: str,
    reload: Reload | None,
    find: Find = lambda _: None,
    prefix: str = "",
) -> Asgi:
    """Return the ASGI application.

    `reload` is the action of `POST /-/reload`, None where that is switched off; `prefix` is what a proxy may leave before
    every path.
    """
    pages: dict[str, tuple[Page, tuple[str, ...]]] = {
        telemetry_path: (partial(_metrics, source), READING),
        f"{telemetry_path}/": (partial(_without_slash, telemetry_path), READING),
        "/-/healthy": (_healthy, READING),
        "/-/ready": (partial(_ready, source), READING),
        "/-/reload": (partial(_reload, reload), ("POST",)),
    }

    failing = FailureLog(structlog.get_logger(), "a page failed", "pages are answered again")

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        request = _request(scope, prefix)
        try:
            reply = await chosen(request, receive)
        except Exception as error:  # noqa: BLE001 - the next request may find a better snapshot
            failing.failed(
                type(error).__name__, type(error).__name__, source=source_location(error), path=request.path
            )
            reply = text_reply(500, "The exporter made a mistake; its log says where.\n")
        else:
            failing.succeeded()
        if reply is not None:
            await send_reply(reply, send, head=request.method == "HEAD")

    async def chosen(request: Request, receive: Receive) -> Reply | None:
        page, methods = pages.get(request.path) or (find(request), READING)
        if page is None:
            return text_reply(404, f"Not found. The metrics are at {telemetry_path}\n")
        if request.method not in methods:
            allowed = ", ".join(methods)
            return text_reply(405, f"Only {allowed}.\n", ("allow", allowed))
        return await (_unless_gone(page(request), receive) if methods is READING else page(request))

    return answer


async def _unless_gone(page: Coroutine[Any, Any, Reply], receive: Receive) -> Reply | None:
    """Return a reply; None if the client goes away before: then the page is cancelled, and costs nothing more."""
    reply, gone = asyncio.ensure_future(page), asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait((reply, gone), return_when=asyncio.FIRST_COMPLETED)
        return reply.result() if reply.done() else None
    finally:
        reply.cancel()
        gone.cancel()
        await asyncio.wait((reply, gone))


async def _gone(receive: Receive) -> None:
    """Return when the client has gone away; what it sends before is not used."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _metrics(source: MetricsSource, request: Request) -> Reply:
    snapshot = source.snapshot
    format_ = format_for(request.headers.get("accept", ""))
    packed = accepts_gzip(request.headers.get("accept-encoding", ""))
    parts = snapshot.ready(format_, packed=packed)
    if parts is None:
        # The first request renders and compresses, in a thread.
        render = partial(snapshot.body, format_, packed=packed)
        parts = await asyncio.get_running_loop().run_in_executor(_RENDERING, render)
    headers = (
        ("content-type", format_.content_type),
        ("vary", "Accept, Accept-Encoding"),
        *((("content-encoding", "gzip"),) if packed else ()),
        ("content-length", str(sum(map(len, parts)))),
    )
    return Reply(200, headers, chunks(parts))


async def _without_slash(path: str, _request: Request) -> Reply:
    # A relative address works behind a proxy that adds a path, too.
    return text_reply(308, f"The metrics are at {path}\n", ("location", f"../{path.rpartition('/')[2]}"))


async def _reload(reload: Reload | None, request: Request) -> Reply:
    if reload is None:
        return text_reply(403, "Start with --web.enable-lifecycle to reload by HTTP, or send SIGHUP.\n")
    # A browser sends it with every POST, and the exporter's own pages have none: it is a page of another site.
    if "origin" in request.headers:
        return text_reply(403, "A web page may not reload the configuration.\n")
    mistakes = await reload()
    if mistakes:
        return text_reply(500, "".join(f"{mistake}\n" for mistake in mistakes))
    return text_reply(200, "Reloaded.\n")


async def _healthy(_request: Request) -> Reply:
    return text_reply(200, "Healthy.\n")


async def _ready(source: MetricsSource, _request: Request) -> Reply:
    if source.ready:
        return text_reply(200, "Ready.\n")
    return text_reply(503, "Not ready: the first poll of an instance has not ended.\n")


def _request(scope: Scope, prefix: str) -> Request:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = scope.get("query_string", b"").decode("latin-1")
    target = _ORIGIN.sub("", (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")) or "/"
    # Some proxies remove the prefix themselves.
    inside = prefix and (target == prefix or target.startswith(f"{prefix}/"))
    path = target.removeprefix(prefix) or "/" if inside else target
    return Request(scope["method"], path, headers, query)


async def send_reply(reply: Reply, send: Send, *, head: bool = False) -> None:
    """Answer a request; one with HEAD without the body."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    for piece in () if head else reply.body:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
