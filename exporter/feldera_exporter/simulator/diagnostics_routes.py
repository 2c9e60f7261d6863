"""The routes of a pipeline's metrics, statistics, log and support bundle."""

from typing import Final

from feldera_exporter.simulator import pipeline_metrics
from feldera_exporter.simulator.api_errors import refusal
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.http_messages import (
    PLAIN,
    TEXT,
    ZIP,
    HttpAnswer,
    HttpRequest,
    QueryError,
    choice,
    flag,
    json,
)
from feldera_exporter.simulator.logs import Position, followed, log_of, position
from feldera_exporter.simulator.stats import stats
from feldera_exporter.simulator.support_bundle import CONTENTS, bundle
from feldera_exporter.simulator.versions import Fact

_LIMIT: Final = "limit must be at least 1 when provided; omit it to return all retained collections"


class DiagnosticsRoutes:
    """The responses with metrics, statistics, logs and support bundles of one instance's pipelines."""

    def __init__(self, feldera: Feldera) -> None:
        self._feldera = feldera

    def metrics(self, request: HttpRequest, name: str) -> HttpAnswer:
        """GET /v0/pipelines/{name}/metrics."""
        form = choice(request, "format", ("prometheus", "json"), "prometheus")
        families = pipeline_metrics.pipeline_metrics(self._feldera, name)
        if form == "json":
            return json(pipeline_metrics.as_json(families))
        return HttpAnswer(200, pipeline_metrics.as_text(families), PLAIN)

    def all_metrics(self, _: HttpRequest) -> HttpAnswer:
        """GET /v0/metrics."""
        return HttpAnswer(200, pipeline_metrics.all_metrics(self._feldera), PLAIN)

    def stats(self, _: HttpRequest, name: str) -> HttpAnswer:
        """GET /v0/pipelines/{name}/stats."""
        return json(stats(self._feldera, name))

    def logs(self, request: HttpRequest, name: str) -> HttpAnswer:
        """GET /v0/pipelines/{name}/logs: the retained lines, then new ones until the client goes away."""
        feldera = self._feldera
        pipeline = feldera.get(name)
        log = log_of(pipeline)
        cursor = request.query.get("cursor") if feldera.has(Fact.LOGS_CURSOR) else None
        if feldera.has(Fact.LOGS_FOLLOW) and not flag(request, "follow", default=True):
            if cursor is not None:
                error = "`cursor` cannot be combined with `follow=false`"
                raise refusal("InvalidLogCursorParam", value=cursor, error=error)
            return HttpAnswer(200, log.after(0), TEXT)
        begin = Position(log.epoch, log.discarded, 0) if cursor is None else position(log, cursor)
        headers = {
            "feldera-logs-epoch": begin.epoch,
            "feldera-logs-seq": str(begin.number),
            "feldera-logs-gap": str(begin.gap),
        }
        return HttpAnswer(
            200,
            content_type=TEXT,
            headers={} if cursor is None else headers,
            stream=lambda: followed(feldera, pipeline, begin),
        )

    def support_bundle(self, request: HttpRequest, name: str) -> HttpAnswer:
        """GET /v0/pipelines/{name}/support_bundle."""
        limit = request.query.get("limit", "1")
        if not limit.isdecimal():
            raise QueryError("Query deserialize error: invalid digit found in string")
        if int(limit) == 0:
            raise refusal("InvalidSupportBundleParameter", reason=_LIMIT)
        wanted = {parameter: flag(request, parameter, default=True) for parameter in CONTENTS}
        if not flag(request, "collect", default=True):
            # Nothing was collected before.
            wanted = {}
        headers = {
            "content-disposition": f'attachment; filename="{name}-support-bundle.zip"',
            "content-encoding": "identity",
        }
        return HttpAnswer(200, bundle(self._feldera, name, wanted), ZIP, headers)
