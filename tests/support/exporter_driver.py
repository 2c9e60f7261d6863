"""The exporter without network, clock and event loop: lists and logs in, exposition out."""

import asyncio
import time
from atexit import register
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Final, cast

import structlog

from feldera_exporter.config import Configuration, Instance
from feldera_exporter.errors import StoreError
from feldera_exporter.exposition.snapshot import Content, Snapshot
from feldera_exporter.exposition.text import Format
from feldera_exporter.feldera.client import Endpoint
from feldera_exporter.feldera.errors import Answer, NotFoundError
from feldera_exporter.feldera.list_batches import Batch, Batches
from feldera_exporter.feldera.pipeline_list import read
from feldera_exporter.feldera.wire import Row
from feldera_exporter.ledger import BUDGET, Ledger
from feldera_exporter.metrics.catalogue import Catalogue, catalogue
from feldera_exporter.metrics.exposition_sections import ExpositionSections, updated_sections
from feldera_exporter.polling.log_reader import EventLogReader
from feldera_exporter.problems.evaluate import InstanceWithProblems, evaluate
from feldera_exporter.problems.serialization import decoded, encoded, same
from feldera_exporter.simulator.api_errors import ApiError
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.http_messages import HttpRequest, encode
from feldera_exporter.simulator.json_rendering import event_json
from feldera_exporter.simulator.read_routes import ReadRoutes
from feldera_exporter.simulator.uuid7 import uuid_text
from feldera_exporter.state.fleet import Fleet, observed
from feldera_exporter.state.instance_settings import InstanceSettings
from feldera_exporter.state.selection import Selection, select
from feldera_exporter.store.poll_changes import NOTHING, PollChanges
from feldera_exporter.store.store import Store

INSTANCE = Instance(name="test", url="http://feldera.invalid")
CONFIGURATION = Configuration(instances=(INSTANCE,))
_PART: Final = 64 * 1024
"""Bytes of a body that come at once."""

Log = Callable[..., bytes]
"""Gives the answer of `GET …/events` for a pipeline's name, and of `GET …/events/{id}` for a name and an id."""

_LIST: Final = HttpRequest("GET", "/v0/pipelines", {"selector": "status"}, {}, b"")


class InProcessApi:
    """The answers of a simulated Feldera, without HTTP; events are rendered once."""

    def __init__(self, feldera: Feldera) -> None:
        self._feldera = feldera
        self._reader = ReadRoutes(feldera)
        self._events: dict[int, bytes] = {}

    def list(self) -> bytes:
        """Answer `GET /v0/pipelines?selector=status`."""
        return self._reader.pipelines(_LIST).body

    def log(self, name: str, event_id: str | None = None) -> bytes:
        """Answer `GET …/events?selector=status`, or `GET …/events/{id}?selector=all`."""
        self._feldera.settle()
        try:
            log = self._feldera.get(name).log
        except ApiError as error:
            raise NotFoundError("404: UnknownPipelineName") from error
        if event_id is None:
            return b"[%b]" % b",".join(map(self._event, log.newest_first()))
        for event in log:
            if uuid_text(event.event_id) == event_id:
                return encode(event_json(event, "all"))
        raise NotFoundError("404: UnknownPipelineMonitorEvent")

    def _event(self, event: Any) -> bytes:
        rendered = self._events.get(event.event_id)
        if rendered is None:
            rendered = self._events[event.event_id] = encode(event_json(event, "status"))
        return rendered


def as_batches(body: bytes, previous: Sequence[Batch] = ()) -> tuple[Batch, ...]:
    """Return a list as the client takes it."""
    batches = Batches(INSTANCE.max_response_size, previous)
    for start in range(0, len(body), _PART):
        batches.take(body[start : start + _PART])
    return batches.end()


class _LogClient:
    """Answers the exporter's reader of logs."""

    def __init__(self) -> None:
        self.log: Log = lambda *_: b"[]"
        self.requests = 0

    async def get(self, _: Endpoint, *names: str, within: float) -> Answer[bytes]:
        """Answer at once."""
        assert within > 0
        self.requests += 1
        return Answer(self.log(*names), None, 0.0)


class ExporterDriver:
    """The exporter of one instance without network, clock and event loop, polled by calls.

    Args:
        configuration: what is watched, and how it is shown.
        store: keeps the counters, so that `restart` goes on with them.
        shown: the families that are shown.
        budget: how many logs are read after one list.

    Attributes:
        reading: milliseconds of CPU that reading logs took so far.
    """

    def __init__(
        self,
        configuration: Configuration = CONFIGURATION,
        store: Store | None = None,
        shown: Catalogue | None = None,
        budget: int = BUDGET,
    ) -> None:
        self.name = configuration.instances[0].name
        self.policy = InstanceSettings(configuration, configuration.instances[0])
        self.catalogue = shown or catalogue(tuple(configuration.tag_labels))
        self.store = store
        self.budget = budget
        self.client = _LogClient()
        self.changes: PollChanges | None = None
        self.reading = 0.0
        self.restart()

    @property
    def event_requests(self) -> int:
        """How many requests the event log has had."""
        return self.client.requests

    @property
    def rows(self) -> Mapping[str, Row]:
        """The watched pipelines as last listed, by id."""
        return self.selection.rows

    @property
    def observed(self) -> InstanceWithProblems:
        """The instance as it is shown."""
        return InstanceWithProblems(self.fleet, self.problems)

    def restart(self) -> None:
        """Drop all state except the store's, as after a kill."""
        remembered = self.store.load(self.name) if self.store else NOTHING
        self.ledger = Ledger(self.name, remembered, self.budget)
        self.reader = EventLogReader(
            cast("Any", self.client), self.ledger, 1.0, structlog.get_logger("feldera_exporter")
        )
        self.fleet = Fleet(self.name, counters=self.ledger.published())
        self.problems = decoded(remembered.problems)
        self.selection = Selection()
        self.page = ExpositionSections()

    def poll(self, body: bytes, at: int, log: Log | None = None, read_at: int | None = None) -> None:
        """Process a list of an instant (microseconds), and the logs that the ledger requests.

        Args:
            body: the list.
            at: its instant by Feldera's clock, in microseconds.
            log: gives the logs; None where the server has none.
            read_at: its instant by the monotonic clock, in microseconds.
        """
        batches = as_batches(body, self.selection.listing.batches)
        self.selection = select(read(batches, self.selection.listing), self.policy, self.selection)
        rows, lost = self.selection.rows, self.selection.lost
        strangers = self.ledger.unknown_ids(rows)
        recalled = self.store.recall(self.name, strangers) if self.store and strangers else NOTHING
        to_read = self.ledger.observe_list(
            rows, lost, at, recalled, event_log=log is not None, read_at=read_at
        )
        self._show(at)
        if log is not None:
            self.client.log = log
            began = time.process_time()
            changed = _runner().run(self.reader.read(to_read, float("inf")))
            self.reading += (time.process_time() - began) * 1000
            if changed:
                self._show(at)

    def scrape(self, format_: Format = Format.TEXT) -> str:
        """Return the exposition without the exporter's own registry."""
        self.page = updated_sections(self.page, (self.observed,), self.catalogue)
        snapshot = Snapshot(lambda: Content(self.page.sections, lambda _: b"", lambda *_: None))
        return b"".join(snapshot.body(format_, packed=False)).decode()

    def _show(self, at: int) -> None:
        self.fleet = observed(self.fleet, self.selection, self.ledger.published(), self.policy, at)
        before = self.problems
        self.problems = evaluate(before, self.fleet, self.policy.disabled, at)
        self.changes = self.ledger.changes()
        if self.store:
            problems = None if same(before, self.problems) else encoded(self.problems)
            try:
                self.store.commit(replace(self.changes, problems=problems))
            except StoreError:
                return
        self.ledger.stored()


@cache
def _runner() -> asyncio.Runner:
    runner = asyncio.Runner()
    register(runner.close)
    return runner
