"""The pages for people: which view an address means, as HTML with headers that let nothing foreign in."""

import asyncio
import re
import zlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Protocol
from urllib.parse import unquote

from feldera_exporter import __version__
from feldera_exporter.feldera.program_details import ProgramDetails
from feldera_exporter.pages import formatting, runbooks
from feldera_exporter.pages.fleet_page import fleet_page
from feldera_exporter.pages.html_rendering import ASSETS, render
from feldera_exporter.pages.instance_view import InstanceView
from feldera_exporter.pages.latest_events import LatestEvents
from feldera_exporter.pages.links import Links
from feldera_exporter.pages.missing_page import MissingPage, missing_pipeline
from feldera_exporter.pages.page_query import INSTALLATIONS, PageQuery, parse
from feldera_exporter.pages.pipeline_page import FAILED_PROGRAMS, find, pipeline_page
from feldera_exporter.server.content_negotiation import accepts_gzip
from feldera_exporter.server.http_messages import Page, Reply, Request
from feldera_exporter.server.page_cache import PageCache
from feldera_exporter.server.worker_threads import PAGES

EVERY: Final = MappingProxyType({"fleet.html": 30, "pipeline.html": 60})
"""Seconds after which a page refreshes itself, unless it is paused."""

_HTML: Final = "text/html; charset=utf-8"
_GZIP: Final = 16 + zlib.MAX_WBITS
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
"""What every page says of what it may do: no script at all, nothing from elsewhere, in no frame."""


class Source(Protocol):
    """What the pages show."""

    def seen(self) -> InstanceView:
        """Return what is known now."""

    async def recent(self, instance: str, id_: str, name: str) -> LatestEvents:
        """Ask Feldera about a pipeline; never for long, and never with an error."""

    async def program(self, instance: str, id_: str, name: str, *, failed: bool) -> ProgramDetails:
        """Ask Feldera about a pipeline's program, with its compilers' errors if it failed; as `recent`."""


@dataclass(frozen=True, slots=True)
class Site:
    """The pages for people.

    Args:
        source: what is shown.
        links: where the exporter's pages are.
    """

    source: Source
    links: Links
    _cache: PageCache = field(default_factory=lambda: PageCache(PAGES))

    def find(self, request: Request) -> Page | None:
        """Return the page of a path, None where there is none."""
        parts = [unquote(part) for part in request.raw_path.split("/")]
        match parts:
            case ["", ""]:
                return self._fleet
            case ["", "pipelines", instance, name]:
                return self._pipeline(instance, name)
            case ["", "runbooks"]:
                return self._runbooks
            case ["", "runbooks", alert]:
                return self._runbook(alert)
            case ["", "static", _] if (asset := ASSETS.get(request.path)) is not None:
                return _asset(*asset)
        return None

    async def _fleet(self, request: Request) -> Reply:
        query, seen = parse(request.query), self.source.seen()

        def page() -> bytes:
            view = fleet_page(seen, query, self.links)
            return self._render("fleet.html", seen, query, view=view)

        return await self._html(request, page, _state(seen), every=_every("fleet.html", query))

    def _pipeline(self, instance: str, told: str) -> Page:
        async def answer(request: Request) -> Reply:
            query = parse(request.query)
            found = find(self.source.seen(), instance, told)
            if found is None:
                missing = missing_pipeline(self.source.seen(), instance, told, self.links)
                return await self._missing(request, missing)
            row = found[1].facts.row
            failed = row.program_status in FAILED_PROGRAMS
            recent, program = await asyncio.gather(
                self.source.recent(instance, row.id, row.name),
                self.source.program(instance, row.id, row.name, failed=failed),
            )
            # Asking took its time: what is shown should be of now.
            seen = self.source.seen()

            def page() -> bytes:
                watched, pipeline = find(seen, instance, row.id) or found
                view = pipeline_page(watched, pipeline, recent, program, seen, query, self.links)
                return self._render("pipeline.html", seen, query, view=view)

            state = (*_state(seen), _Same(recent), _Same(program))
            return await self._html(request, page, state, every=_every("pipeline.html", query))

        return answer

    async def _runbooks(self, request: Request) -> Reply:
        values = {"sections": tuple(runbooks.index()), "version": __version__}
        return await self._html(request, lambda: render("runbooks.html", self.links, **values))

    def _runbook(self, alert: str) -> Page:
        async def answer(request: Request) -> Reply:
            query = parse(request.query)
            about = runbooks.runbook_values(self.source.seen(), query)
            code = about.error_code if about is not None and not query.codes else ""
            filtered = bool(code) and runbooks.has_code(alert, code)
            installation = query.installation or _chosen_installation(request)
            content = await PAGES.do(runbooks.runbook, alert, code if filtered else "", installation)
            if content is None:
                return await self._missing(
                    request, MissingPage("Not found", "There is no such runbook.", (), None)
                )
            values = {
                "alert": alert,
                "content": content,
                "about": about,
                "filtered": filtered,
                "query": query,
                "variants": runbooks.has_variants(alert),
                "installation": installation,
                "version": __version__,
            }
            headers = () if not query.installation else (("set-cookie", self._cookie(query.installation)),)
            return await self._html(
                request, lambda: render("runbook.html", self.links, **values), installation, headers=headers
            )

        return answer

    def _cookie(self, installation: str) -> str:
        """Return what makes a browser remember the choice for the other runbooks, and when a link leads to one."""
        path = self.links.to("/runbooks")
        return f"{_COOKIE}={installation}; Path={path}; Max-Age={_YEAR}; SameSite=Lax; HttpOnly"

    async def _missing(self, request: Request, view: MissingPage) -> Reply:
        values = {"view": view, "version": __version__}
        # What is not known yet will be: the page looks again.
        every, status = (None, 404) if view.decided else (EVERY["fleet.html"], 503)
        return await self._html(
            request, lambda: render("missing.html", self.links, **values), every=every, status=status
        )

    def _render(self, template: str, seen: InstanceView, query: PageQuery, **values: Any) -> bytes:
        now = seen.at
        return render(
            template,
            self.links,
            query=query,
            every=EVERY[template],
            clock=formatting.moment(now, now),
            instant=formatting.instant(now),
            version=__version__,
            **values,
        )

    async def _html(
        self,
        request: Request,
        page: Callable[[], bytes],
        state: Hashable = (),
        *,
        every: int | None = None,
        status: int = 200,
        headers: Sequence[tuple[str, str]] = (),
    ) -> Reply:
        """Answer with a page, rendered in a thread: a thousand pipelines take longer than a poll should wait.

        Args:
            request: what was asked.
            page: makes it.
            state: what it shows.
            every: seconds after which it is to be asked for again, None for never.
            status: of the answer.
            headers: further ones.
        """
        packed = accepts_gzip(request.headers.get("accept-encoding", ""))
        key = (request.raw_path, request.query, packed, state)
        body = await self._cache.page(key, lambda: _packed(page()) if packed else page())
        headers = [
            *headers,
            ("content-type", _HTML),
            ("cache-control", "no-store"),
            ("vary", "Accept-Encoding"),
            *HEADERS.items(),
            ("content-length", str(len(body))),
        ]
        if packed:
            headers.append(("content-encoding", "gzip"))
        if every is not None:
            # Of the same address, so that the filter stays; in a header, so that a paused page needs nothing taken out.
            headers.append(("refresh", str(every)))
        return Reply(status, tuple(headers), (body,))


def _chosen_installation(request: Request) -> str:
    found = _CHOICE.search(request.headers.get("cookie", ""))
    return found[1] if found else ""


class _Same:
    """Equals what holds the very same value: values that are replaced whole need no comparison of what is in them."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other._value is self._value

    def __hash__(self) -> int:
        return id(self._value)


def _state(seen: InstanceView) -> tuple[Hashable, ...]:
    """Return what tells one state of all instances from another: states are replaced whole."""
    return tuple(_Same(each) for watched in seen.instances for each in (watched.fleet, watched.problems))


def _every(template: str, query: PageQuery) -> int | None:
    return None if query.paused else EVERY[template]


def _asset(media_type: str, content: bytes) -> Page:
    async def answer(_request: Request) -> Reply:
        headers = (
            ("content-type", media_type),
            ("cache-control", "public, max-age=31536000, immutable"),
            *HEADERS.items(),
            ("content-length", str(len(content))),
        )
        return Reply(200, headers, (content,))

    return answer


def _packed(page: bytes) -> bytes:
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return compressor.compress(page) + compressor.flush()
