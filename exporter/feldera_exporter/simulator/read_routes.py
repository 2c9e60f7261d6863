"""The routes that read pipelines and their events."""

from typing import Final

from isal import igzip

from feldera_exporter.simulator.api_errors import check_uuid, refusal
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.http_messages import HttpAnswer, HttpRequest, choice, empty, json
from feldera_exporter.simulator.json_rendering import event_json, row_bytes
from feldera_exporter.simulator.pipeline import SimulatedPipeline
from feldera_exporter.simulator.uuid7 import uuid_text
from feldera_exporter.simulator.versions import Fact, Version, parse_version

SELECTORS: Final = ("all", "status", "status_with_connectors")
EVENT_SELECTORS: Final = ("all", "status")


class ReadRoutes:
    """The responses about one instance's pipelines; caches the last list, plain and compressed."""

    def __init__(self, feldera: Feldera) -> None:
        self._feldera = feldera
        self._lists: dict[tuple[str, bool], tuple[int, HttpAnswer]] = {}

    @property
    def _version(self) -> Version:
        return parse_version(self._feldera.version)

    def pipelines(self, request: HttpRequest) -> HttpAnswer:
        """GET /v0/pipelines."""
        selector = choice(request, "selector", SELECTORS, "all")
        self._feldera.settle()
        version = self._feldera.database.version
        shape = self._version
        wants_gzip = "gzip" in request.headers.get("accept-encoding", "")
        kept = self._lists.get((selector, wants_gzip))
        if kept is not None and kept[0] == version:
            return kept[1]
        rows = [row_bytes(pipeline, selector, shape) for pipeline in self._feldera.database]
        body = b"[%b]" % b",".join(rows)
        answer = HttpAnswer(200, body, packed=igzip.compress(body, 1) if wants_gzip else None)
        self._lists[selector, wants_gzip] = version, answer
        return answer

    def pipeline(self, request: HttpRequest, name: str) -> HttpAnswer:
        """GET /v0/pipelines/{name}."""
        selector = choice(request, "selector", SELECTORS, "all")
        return HttpAnswer(200, row_bytes(self._feldera.get(name), selector, self._version))

    def events(self, request: HttpRequest, name: str) -> HttpAnswer:
        """GET /v0/pipelines/{name}/events."""
        if not self._feldera.has(Fact.EVENTS):
            return empty(404)
        selector = choice(request, "selector", EVENT_SELECTORS, "status")
        log = self._feldera.get(name).log
        return json([event_json(event, selector) for event in log.newest_first()])

    def event(self, request: HttpRequest, name: str, event_id: str) -> HttpAnswer:
        """GET /v0/pipelines/{name}/events/{event_id|latest}."""
        if not self._feldera.has(Fact.EVENTS):
            return empty(404)
        selector = choice(request, "selector", EVENT_SELECTORS, "status")
        log = self._feldera.get(name).log
        if event_id == "latest":
            if not len(log):
                raise refusal("NoPipelineMonitorEventsAvailable")
            return json(event_json(log.newest_first()[0], selector))
        check_uuid(event_id)
        for event in log:
            if uuid_text(event.event_id) == event_id:
                return json(event_json(event, selector))
        raise refusal("UnknownPipelineMonitorEvent", event_id=event_id)

    def encoded(self, pipeline: SimulatedPipeline) -> bytes:
        """Return one pipeline's JSON, as the answers to an edit carry it."""
        return row_bytes(pipeline, "all", self._version)
