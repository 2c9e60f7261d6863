"""The pages without a Feldera: a source with fixed values behind the real server function."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from feldera_exporter.exposition.snapshot import Snapshot
from feldera_exporter.feldera.program_details import ProgramDetails
from feldera_exporter.pages.instance_view import PageState
from feldera_exporter.pages.latest_events import LatestEvents
from feldera_exporter.pages.links import Links
from feldera_exporter.server.asgi import Asgi, application
from feldera_exporter.server.html_pages import Site
from feldera_exporter.simulator.asgi_thread import serve


@dataclass
class FixedPageSource:
    """A source of pages with fixed values.

    Attributes:
        known: the instances.
        answers: what Feldera says of pipelines, by id.
        programs: what Feldera says of programs, by id.
        asked: the ids of the requested pipelines.
    """

    known: PageState
    answers: Mapping[str, LatestEvents] = field(default_factory=dict)
    programs: Mapping[str, ProgramDetails] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def page_state(self) -> PageState:
        """Return what it was given."""
        return self.known

    async def recent(self, _instance: str, id_: str, _name: str) -> LatestEvents:
        """Return what it was given about a pipeline."""
        self.asked.append(id_)
        return self.answers.get(id_, LatestEvents())

    async def program(self, _instance: str, id_: str, _name: str, *, failed: bool) -> ProgramDetails:
        """Return what it was given about a pipeline's program; errors only of one that failed."""
        program = self.programs.get(id_, ProgramDetails())
        return program if failed else ProgramDetails(program.description)


class _NoMetrics:
    """The server's source of metrics: these tests request none."""

    ready = True

    @property
    def snapshot(self) -> Snapshot:
        raise NotImplementedError


def app(source: FixedPageSource, prefix: str = "") -> Asgi:
    """Return the server's function on a source."""
    links = Links(prefix)
    return application(_NoMetrics(), "/metrics", None, Site(source, links).find, prefix)


def get(
    source: FixedPageSource, path: str, prefix: str = "", method: str = "GET", **headers: str
) -> httpx.Response:
    """Request one page."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app(source, prefix))
        async with httpx.AsyncClient(transport=transport, base_url="http://exporter") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(ask())


@contextmanager
def served(source: FixedPageSource) -> Iterator[str]:
    """Serve the pages on a free port while the context lasts, and give their address."""
    function: Any = app(source)
    with serve(function) as url:
        yield url
