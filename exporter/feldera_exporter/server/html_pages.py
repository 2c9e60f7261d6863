"""The pages for people: HTML by path, with headers that permit no script and nothing from other sites."""

import asyncio
import gzip
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Final, Protocol
from urllib.parse import unquote

from feldera_exporter.feldera.program_details import ProgramDetails
from feldera_exporter.pages import formatting, runbooks
from feldera_exporter.pages.fleet_page import fleet_page
from feldera_exporter.pages.html_rendering import ASSETS, render
from feldera_exporter.pages.instance_view import PageState
from feldera_exporter.pages.latest_events import LatestEvents
from feldera_exporter.pages.links import Links
from feldera_exporter.pages.missing_page import may_exist, missing_pipeline
from feldera_exporter.pages.page_query import INSTALLATIONS, PageQuery, parse
from feldera_exporter.pages.pipeline_page import FAILED_PROGRAMS, find, pipeline_page
from feldera_exporter.rules.alert_names import SECTIONS
from feldera_exporter.server.content_negotiation import accepts_gzip
from feldera_exporter.server.http_messages import Page, Reply, Request, text_reply
from feldera_exporter.server.page_cache import PageCache

EVERY: Final = MappingProxyType({"fleet.html": 30, "pipeline.html": 60})
"""Seconds after which a page refreshes itself, unless it is paused."""

_LEVEL: Final = 6
_COOKIE: Final = "feldera_installation"
_CHOICE: Final = re.compile(rf"\b{_COOKIE}=({'|'.join(INSTALLATIONS)})\b")
_YEAR: Final = 365 * 24 * 3600

HEADERS: Final = MappingProxyType(
    {
        "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
    }
)
"""The headers of every page: no script, nothing from other sites, in no frame."""


class PageSource(Protocol):
    """The source of what pages show."""

    def page_state(self) -> PageState:
        """Return the present state of all instances."""

    async def recent(self, instance: str, pipeline_id: str, name: str) -> LatestEvents:
        """Return the latest events of a pipeline from Feldera; within a short time, and without an exception."""

    async def program(self, instance: str, pipeline_id: str, name: str, *, failed: bool) -> ProgramDetails:
        """Return the details of a pipeline's program, with the compilers' errors if it failed; as `recent`."""


@dataclass(frozen=True, slots=True)
class Site:
    """The pages for people."""

    source: PageSource
    links: Links
    _cache: PageCache = field(default_factory=PageCache)

    def find(self, request: Request) -> Page | None:
        """Return the page at a path; None where there is none."""
        parts = [unquote(part) for part in request.path.split("/")]
        match parts:
            case ["", ""]:
                return self._fleet
            case ["", "pipelines", instance, name]:
                return partial(self._pipeline, instance, name)
            case ["", "runbooks"]:
                return self._runbooks
            case ["", "runbooks", alert] if runbooks.exists(alert):
                return partial(self._runbook, alert)
            case ["", "static", _] if (asset := ASSETS.get(request.path)) is not None:
                return partial(_asset, *asset)
        return None

    async def _fleet(self, request: Request) -> Reply:
        query, state = parse(request.query), self.source.page_state()
        return await self._live(
            request, "fleet.html", state, query, lambda: fleet_page(state, query, self.links)
        )

    async def _pipeline(self, instance: str, name_or_id: str, request: Request) -> Reply:
        query = parse(request.query)
        state = self.source.page_state()
        found = find(state, instance, name_or_id)
        if found is None:
            return await self._missing_pipeline(request, state, instance, name_or_id)
        row = found[1].facts.row
        failed = row.program_status in FAILED_PROGRAMS
        recent, program = await asyncio.gather(
            self.source.recent(instance, row.id, row.name),
            self.source.program(instance, row.id, row.name, failed=failed),
        )
        # The state may have changed while Feldera was asked; the pipeline may also have been renamed or deleted.
        state = self.source.page_state()
        found = find(state, instance, row.id) or found
        return await self._live(
            request,
            "pipeline.html",
            state,
            query,
            lambda: pipeline_page(*found, recent, program, state, query, self.links),
            recent,
            program,
        )

    async def _runbooks(self, request: Request) -> Reply:
        return await self._html(request, lambda: render("runbooks.html", self.links, sections=SECTIONS))

    async def _runbook(self, alert: str, request: Request) -> Reply:
        query, state = parse(request.query), self.source.page_state()
        installation = query.installation or _chosen_installation(request)

        def page() -> bytes:
            view = runbooks.runbook_page(alert, state, query, installation)
            return render("runbook.html", self.links, view=view, query=query)

        headers = (("set-cookie", self._cookie(installation)),) if query.installation else ()
        return await self._html(request, page, _shown(state), headers=headers)

    def _cookie(self, installation: str) -> str:
        """Return a cookie that keeps the choice for the other runbooks, also when a link of an alert leads there."""
        path = self.links.to("/runbooks")
        return f"{_COOKIE}={installation}; Path={path}; Max-Age={_YEAR}; SameSite=Lax; HttpOnly"

    async def _missing_pipeline(self, request: Request, state: PageState, instance: str, name: str) -> Reply:
        def page() -> bytes:
            view = missing_pipeline(state, instance, name, self.links)
            return render("missing.html", self.links, view=view)

        # Before the first list of pipelines the page refreshes itself.
        every, status = (EVERY["fleet.html"], 503) if may_exist(state, instance) else (None, 404)
        return await self._html(request, page, _shown(state), every=every, status=status)

    async def _live(
        self,
        request: Request,
        template: str,
        state: PageState,
        query: PageQuery,
        view: Callable[[], object],
        *shown: object,
    ) -> Reply:
        """Answer with a page that refreshes itself; besides the state it shows some values."""
        every, clock = EVERY[template], formatting.moment(state.at, state.at)
        return await self._html(
            request,
            lambda: render(template, self.links, view=view(), query=query, every=every, clock=clock),
            (*_shown(state), *shown),
            every=None if query.paused else every,
        )

    async def _html(
        self,
        request: Request,
        page: Callable[[], bytes],
        shown: Sequence[object] = (),
        *,
        every: int | None = None,
        status: int = 200,
        headers: Sequence[tuple[str, str]] = (),
    ) -> Reply:
        """Answer with a page, rendered in a thread: a thousand pipelines take longer than a poll should wait.

        `shown` are the values that it shows, besides the time.
        """
        packed = accepts_gzip(request.headers.get("accept-encoding", ""))
        key = (request.path, request.query, request.headers.get("cookie"), packed, status)

        def body_of_page() -> bytes:
            return gzip.compress(page(), _LEVEL, mtime=0) if packed else page()

        body = await self._cache.page(key, shown, body_of_page)
        if body is None:
            return text_reply(503, "Too many pages are being rendered; try again.\n", ("retry-after", "1"))
        headers = [
            *headers,
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "no-store"),
            ("vary", "Accept-Encoding"),
            *HEADERS.items(),
            ("content-length", str(len(body))),
        ]
        if packed:
            headers.append(("content-encoding", "gzip"))
        if every is not None:
            # Without an address, so that the filter stays.
            headers.append(("refresh", str(every)))
        return Reply(status, tuple(headers), (body,))


def _shown(state: PageState) -> tuple[object, ...]:
    """Return the values that a page of all instances shows."""
    return state.choices, *(value for each in state.instances for value in (each.fleet, each.problems))


def _chosen_installation(request: Request) -> str:
    found = _CHOICE.search(request.headers.get("cookie", ""))
    return found[1] if found else ""


async def _asset(media_type: str, content: bytes, _request: Request) -> Reply:
    headers = (
        ("content-type", media_type),
        ("cache-control", "public, max-age=31536000, immutable"),
        *HEADERS.items(),
        ("content-length", str(len(content))),
    )
    return Reply(200, headers, (content,))
