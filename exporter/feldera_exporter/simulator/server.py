"""The HTTP server of a simulated Feldera: an ASGI application with a table of routes."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from feldera_exporter.simulator.api_errors import ApiError
from feldera_exporter.simulator.asgi_messages import Receive, Scope, Send, read, respond
from feldera_exporter.simulator.auth import DENIED, FREE, UNKNOWN, admit, denied
from feldera_exporter.simulator.diagnostics_routes import DiagnosticsRoutes
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.http_messages import TEXT, HttpAnswer, HttpRequest, QueryError, empty, refused
from feldera_exporter.simulator.instance_routes import InstanceRoutes
from feldera_exporter.simulator.read_routes import ReadRoutes
from feldera_exporter.simulator.timestamps import http_date
from feldera_exporter.simulator.versions import Fact
from feldera_exporter.simulator.write_routes import WriteRoutes

Handler = Callable[..., HttpAnswer]

_PAGE: Final = b"<!doctype html><html><head><title>Feldera</title></head><body></body></html>"

CONSOLE: Final = HttpAnswer(200, _PAGE, "text/html", {"etag": '"56:6b0862cc"'})
"""What the web console answers to every path that is not the API's."""

_SINCE: Final[Mapping[str, Fact]] = {"dismiss_error": Fact.DISMISS_ERROR}
"""What brought a route, where the stand-in is asked to be older."""

_WITHOUT_DATABASE: Final = FREE | {"config", UNKNOWN, DENIED}
"""The routes that need no database; /healthz itself reports whether it is there."""

_NOT_CACHED: Final = frozenset(
    {
        "pipelines",
        "pipeline",
        "events",
        "event",
        "cluster_events",
        "cluster_event",
        "create",
        "put",
        "patch",
    }
)
"""The routes whose answers forbid to be kept."""

_CORS: Final = {
    "access-control-allow-credentials": "true",
    "vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
}
"""What every answer has that pages of other origins may ask for: below /v0 and /config."""

_PIPELINE: Final = "/v0/pipelines/{}"


def _routes(
    instance: InstanceRoutes, reader: ReadRoutes, inspector: DiagnosticsRoutes, operator: WriteRoutes
) -> list[tuple[str, str, str, Handler]]:
    """Return every route: its name, method, path and handler."""
    return [
        ("pipelines", "GET", "/v0/pipelines", reader.pipelines),
        ("pipeline", "GET", _PIPELINE, reader.pipeline),
        ("events", "GET", f"{_PIPELINE}/events", reader.events),
        ("event", "GET", f"{_PIPELINE}/events/{{}}", reader.event),
        ("pipeline_metrics", "GET", f"{_PIPELINE}/metrics", inspector.metrics),
        ("metrics", "GET", "/v0/metrics", inspector.all_metrics),
        ("stats", "GET", f"{_PIPELINE}/stats", inspector.stats),
        ("logs", "GET", f"{_PIPELINE}/logs", inspector.logs),
        ("support_bundle", "GET", f"{_PIPELINE}/support_bundle", inspector.support_bundle),
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
        keys: the role ("read" or "write") of each API key, as "apikey:…"; None: no authentication.
    """

    def __init__(self, feldera: Feldera, keys: Mapping[str, str] | None = None) -> None:
        self.feldera = feldera
        self.keys = keys
        self.instance = InstanceRoutes(feldera, has_login=keys is not None)
        reader = ReadRoutes(feldera)
        self._routes = [
            (name, method, re.compile(path.replace("{}", "([^/]+)")), handler)
            for name, method, path, handler in _routes(
                self.instance, reader, DiagnosticsRoutes(feldera), WriteRoutes(feldera, reader)
            )
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = await read(scope, receive)
        await respond(request, self._answer(request), receive, send)

    def _find(self, request: HttpRequest) -> tuple[str, Handler, tuple[str, ...]]:
        known = False
        for name, method, path, handler in self._routes:
            match = path.fullmatch(request.path)
            if match is None or (name in _SINCE and not self.feldera.has(_SINCE[name])):
                continue
            if method == request.method:
                return name, handler, match.groups()
            known = True
        if not re.match(r"/v0(/|$)", request.path):
            return "console", lambda _: CONSOLE, ()
        return (DENIED, lambda _: denied(), ()) if known else (UNKNOWN, lambda _: empty(404), ())

    def _answer(self, request: HttpRequest) -> HttpAnswer:
        """Return an answer with the headers that all of its kind have."""
        name, handler, arguments = self._find(request)
        answer = self._bare_answer(name, handler, request, arguments)
        headers = {**answer.headers, "date": http_date(self.feldera.clock.now())}
        if name not in {"console", "healthz"}:
            headers |= _CORS
        if name in _NOT_CACHED and answer.status < 300:
            headers["cache-control"] = "no-cache"
        return replace(answer, headers=headers)

    def _bare_answer(
        self, name: str, handler: Handler, request: HttpRequest, arguments: tuple[str, ...]
    ) -> HttpAnswer:
        database = self.feldera.database
        try:
            role = admit(self.keys, name, request, blind=database.down)
            if isinstance(role, HttpAnswer):
                return role
            request.headers["feldera-role"] = role
            with self.feldera.lock:
                self.feldera.settle()
                if name not in _WITHOUT_DATABASE:
                    database.check()
                return handler(request, *arguments)
        except ApiError as error:
            return refused(error, retry_after=self.feldera.has(Fact.RETRY_AFTER))
        except QueryError as error:
            return HttpAnswer(400, str(error).encode(), TEXT)
