"""The answers that read pipelines and their events."""

import re
from contextlib import suppress
from typing import Final

from isal import igzip

from feldera_exporter.simulator.answers import TEXT, Answer, Request, choice, empty, json
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.native import as_json, as_text, native_metrics
from feldera_exporter.simulator.pipeline import Pipeline
from feldera_exporter.simulator.refusals import ApiError, refusal
from feldera_exporter.simulator.rendering import Version, event_json, parse_version, row_bytes
from feldera_exporter.simulator.uuid7 import uuid_text

SELECTORS: Final = ("all", "status", "status_with_connectors")
EVENT_SELECTORS: Final = ("all", "status")
EVENTS_SINCE: Final = (0, 292)
"""The version that brought the routes of events."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Reader:
    """Answers about one instance's pipelines; keeps the last list, plain and packed."""

    def __init__(self, feldera: Feldera) -> None:
        self._feldera = feldera
        self._lists: dict[str, tuple[int, Answer]] = {}
        self._packed: dict[str, tuple[int, Answer]] = {}

    @property
    def _version(self) -> Version:
        return parse_version(self._feldera.version)

    def pipelines(self, request: Request) -> Answer:
        """GET /v0/pipelines."""
        selector = choice(request, "selector", SELECTORS, "all")
        self._feldera.settle()
        version = self._feldera.database.version
        shape = self._version
        wants_gzip = "gzip" in request.headers.get("accept-encoding", "")
        kept = (self._packed if wants_gzip else self._lists).get(selector)
        if kept is not None and kept[0] == version:
            return kept[1]
        rows = [row_bytes(pipeline, selector, shape) for pipeline in self._feldera.database]
        body = b"[%b]" % b",".join(rows)
        if wants_gzip:
            answer = Answer(200, body, packed=igzip.compress(body, 1))
            self._packed[selector] = (version, answer)
        else:
            answer = Answer(200, body)
            self._lists[selector] = (version, answer)
        return answer

    def pipeline(self, request: Request, name: str) -> Answer:
        """GET /v0/pipelines/{name}."""
        selector = choice(request, "selector", SELECTORS, "all")
        return Answer(200, row_bytes(self._feldera.get(name), selector, self._version))

    def events(self, request: Request, name: str) -> Answer:
        """GET /v0/pipelines/{name}/events."""
        if self._version < EVENTS_SINCE:
            return empty(404)
        selector = choice(request, "selector", EVENT_SELECTORS, "status")
        log = self._feldera.get(name).log
        return json([event_json(event, selector) for event in log.newest_first()])

    def event(self, request: Request, name: str, event_id: str) -> Answer:
        """GET /v0/pipelines/{name}/events/{event_id|latest}."""
        if self._version < EVENTS_SINCE:
            return empty(404)
        selector = choice(request, "selector", EVENT_SELECTORS, "status")
        log = self._feldera.get(name).log
        if event_id == "latest":
            if not len(log):
                raise refusal("NoPipelineMonitorEventsAvailable")
            return json(event_json(log.newest_first()[0], selector))
        if not _UUID.fullmatch(event_id):
            raise refusal("InvalidUuidParam", value=event_id)
        for event in log:
            if uuid_text(event.event_id) == event_id:
                return json(event_json(event, selector))
        raise refusal("UnknownPipelineMonitorEvent", event_id=event_id)

    def pipeline_metrics(self, request: Request, name: str) -> Answer:
        """GET /v0/pipelines/{name}/metrics: the native metrics of one pipeline that has a circuit."""
        form = choice(request, "format", ("prometheus", "json"), "prometheus")
        families = native_metrics(self._feldera, name)
        return json(as_json(families)) if form == "json" else Answer(200, as_text(families), TEXT)

    def all_metrics(self, _: Request) -> Answer:
        """GET /v0/metrics: what every Running or Paused pipeline answers, one body after the other."""
        bodies = []
        for pipeline in self._feldera.pipelines():
            if pipeline.row.runtime in {"Running", "Paused"}:
                # One that fails is left out without a word.
                with suppress(ApiError):
                    bodies.append(as_text(native_metrics(self._feldera, pipeline.row.name)) + b"\n")
        return Answer(200, b"".join(bodies), "text/plain")

    def encoded(self, pipeline: Pipeline) -> bytes:
        """Return one pipeline's JSON, as the answers to an edit carry it."""
        return row_bytes(pipeline, "all", self._version)
