"""The HTTP side of a simulated Feldera: an ASGI application over a table of routes."""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from dataclasses import replace
from typing import Any, Final, cast
from urllib.parse import parse_qsl, unquote

from isal import igzip

from feldera_exporter.simulator.answers import HTML, TEXT, Answer, QueryError, Request, empty, refused
from feldera_exporter.simulator.faults import Faults
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.gate import admit
from feldera_exporter.simulator.instance import Instance
from feldera_exporter.simulator.instants import http_date
from feldera_exporter.simulator.operating import Operator
from feldera_exporter.simulator.reading import Reader
from feldera_exporter.simulator.refusals import ApiError
from feldera_exporter.simulator.rendering import Version, parse_version

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Handler = Callable[..., Answer]

CONSOLE: Final = b"<!doctype html><html><head><title>Feldera</title></head><body></body></html>"
"""What the web console answers to every path that is not the API's."""

RETRY_AFTER_SINCE: Final = (0, 330)
_SINCE: Final[Mapping[str, Version]] = {"dismiss_error": (0, 251)}
"""The version that brought a route, where the stand-in is asked to be older."""

_PIPELINE: Final = "/v0/pipelines/{}"


def _routes(instance: Instance, reader: Reader, operator: Operator) -> list[tuple[str, str, str, Handler]]:
    """Return every route: its name, method, path and handler."""
    return [
        ("pipelines", "GET", "/v0/pipelines", reader.pipelines),
        ("pipeline", "GET", _PIPELINE, reader.pipeline),
        ("events", "GET", f"{_PIPELINE}/events", reader.events),
        ("event", "GET", f"{_PIPELINE}/events/{{}}", reader.event),
        ("pipeline_metrics", "GET", f"{_PIPELINE}/metrics", reader.pipeline_metrics),
        ("metrics", "GET", "/v0/metrics", reader.all_metrics),
        ("config", "GET", "/v0/config", instance.config),
        ("session", "GET", "/v0/config/session", instance.session),
        ("cluster_healthz", "GET", "/v0/cluster_healthz", instance.health),
        ("cluster_events", "GET", "/v0/cluster/events", instance.cluster_events),
        ("cluster_event", "GET", "/v0/cluster/events/{}", instance.cluster_event),
        ("healthz", "GET", "/healthz", instance.liveness),
        ("authentication", "GET", "/config/authentication", instance.authentication),
        ("create", "POST", "/v0/pipelines", operator.create),
        ("put", "PUT", _PIPELINE, operator.put),
        ("patch", "PATCH", _PIPELINE, operator.patch),
        ("delete", "DELETE", _PIPELINE, operator.delete),
        ("start", "POST", f"{_PIPELINE}/start", operator.start),
        ("stop", "POST", f"{_PIPELINE}/stop", operator.stop),
        ("pause", "POST", f"{_PIPELINE}/pause", operator.pause),
        ("resume", "POST", f"{_PIPELINE}/resume", operator.resume),
        ("activate", "POST", f"{_PIPELINE}/activate", operator.activate),
        ("approve", "POST", f"{_PIPELINE}/approve", operator.approve),
        ("clear", "POST", f"{_PIPELINE}/clear", operator.clear),
        ("dismiss_error", "POST", f"{_PIPELINE}/dismiss_error", operator.dismiss_error),
    ]


class FelderaServer:
    """One instance's HTTP server, an ASGI application.

    Args:
        feldera: the instance.
        keys: the role ("read" or "write") of each API key, as "apikey:…"; None: no authentication.

    Attributes:
        faults: how the answers of each route misbehave; set and removed while it serves.
        requests: how many requests each route has had, by the route's name.
        in_flight: how many requests are being answered now.
        most_in_flight: the most there ever were at once.
    """

    def __init__(self, feldera: Feldera, keys: Mapping[str, str] | None = None) -> None:
        self.feldera = feldera
        self.keys = keys
        self.faults = Faults()
        self.requests: Counter[str] = Counter()
        self.in_flight = 0
        self.most_in_flight = 0
        self.instance = Instance(feldera)
        reader = Reader(feldera)
        self._routes = [
            (name, method, re.compile(path.replace("{}", "([^/]+)")), handler)
            for name, method, path, handler in _routes(self.instance, reader, Operator(feldera, reader))
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            request = await _read(scope, receive)
            name, handler, arguments = self._find(request)
            self.requests[name] += 1
            fault = self.faults.take(name)
            if fault is None:
                await _send(request, self._answer(name, handler, request, arguments), send)
            elif await _outlasts(fault.delay(), receive):
                answer = self._answer(name, handler, request, arguments)
                await _send(request, fault.spoil(answer), send)
        finally:
            self.in_flight -= 1

    def _find(self, request: Request) -> tuple[str, Handler, tuple[str, ...]]:
        for name, method, path, handler in self._routes:
            match = path.fullmatch(request.path)
            if match is not None and method == request.method and self._is_at_least(_SINCE.get(name, ())):
                return name, handler, match.groups()
        if request.path == "/v0" or request.path.startswith("/v0/"):
            return "unknown", lambda _: empty(404), ()
        return "console", lambda _: Answer(200, CONSOLE, HTML), ()

    def _is_at_least(self, version: Version) -> bool:
        return parse_version(self.feldera.version) >= version

    def _answer(self, name: str, handler: Handler, request: Request, arguments: tuple[str, ...]) -> Answer:
        answer = self._answer_undated(name, handler, request, arguments)
        return replace(answer, headers={**answer.headers, "date": http_date(self.feldera.clock.now())})

    def _answer_undated(
        self, name: str, handler: Handler, request: Request, arguments: tuple[str, ...]
    ) -> Answer:
        try:
            role = admit(self.keys, name, request)
            if isinstance(role, Answer):
                return role
            request.headers["feldera-role"] = role
            with self.feldera.lock:
                self.feldera.settle()
                return handler(request, *arguments)
        except ApiError as error:
            return refused(error, retry_after=self._is_at_least(RETRY_AFTER_SINCE))
        except QueryError as error:
            return Answer(400, str(error).encode(), TEXT)


async def _outlasts(delay: Coroutine[Any, Any, None], receive: Receive) -> bool:
    """Wait, and return whether the client is still there afterwards."""
    waiting = asyncio.ensure_future(delay)
    gone = asyncio.ensure_future(receive())
    try:
        await asyncio.wait({waiting, gone}, return_when=asyncio.FIRST_COMPLETED)
        return waiting.done()
    finally:
        waiting.cancel()
        gone.cancel()


async def _send(request: Request, answer: Answer, send: Send) -> None:
    """Send an answer, packed if that is accepted, whole or as a stream."""
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
    if answer.length is not None:
        headers["content-length"] = str(answer.length)
    elif answer.stream is None:
        headers["content-length"] = str(len(body))
    pairs = [(key.encode(), value.encode()) for key, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
    if answer.stream is not None:
        async for piece in answer.stream():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        body = b""
    await send({"type": "http.response.body", "body": body})


async def _read(scope: Scope, receive: Receive) -> Request:
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
