"""The pages served without a Feldera: a source that shows what a test gives it, behind the real server function."""

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
from feldera_exporter.simulator.serving import serve


@dataclass
class Shown:
    """Shows what it is given.

    Attributes:
        known: the instances.
        answers: what Feldera says of pipelines, by id.
        programs: what Feldera says of programs, by id.
        asked: the ids of the pipelines that Feldera was asked about.
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
    """The other source of the server's: these tests ask for no metrics."""

    ready = True

    @property
    def snapshot(self) -> Snapshot:
        raise NotImplementedError


def app(shown: Shown, prefix: str = "") -> Asgi:
    """Return the server's function on a source."""
    links = Links(prefix)
    return application(_NoMetrics(), "/metrics", None, Site(shown, links).find, prefix)


def get(shown: Shown, path: str, prefix: str = "", method: str = "GET", **headers: str) -> httpx.Response:
    """Ask for one page."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app(shown, prefix))
        async with httpx.AsyncClient(transport=transport, base_url="http://exporter") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(ask())


@contextmanager
def served(shown: Shown) -> Iterator[str]:
    """Serve the pages on a free port while the context lasts, and give their address."""
    function: Any = app(shown)
    with serve(function) as url:
        yield url
