"""Problems as Alertmanager's alerts: the labels that the shipped rules set, and what no label can carry."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote_plus

from feldera_exporter.alertmanager.pipeline_details import UNKNOWN, Details, short
from feldera_exporter.pages import formatting
from feldera_exporter.pages.links import Links
from feldera_exporter.problems import sentences
from feldera_exporter.problems.evaluate import Ended, Occurrence
from feldera_exporter.problems.model import Problem
from feldera_exporter.problems.table import INSTANCE_PROBLEMS, PIPELINE_PROBLEMS
from feldera_exporter.rules.rendering import RuleOptions
from feldera_exporter.state.pipeline import Pipeline

Labels = Mapping[str, str]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = 0
_LAST: Final = 253_402_300_799_000_000
"""Microseconds: the instants of the years 1970 to 9999."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What the configuration and the flags say of alerts.

    Attributes:
        options: the rules' options: choices, and where pages, runbooks and dashboards are.
        labels: added to every alert that does not set them itself.
    """

    options: RuleOptions = field(default_factory=RuleOptions)
    labels: Labels = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert.

    Attributes:
        labels: what tells it from every other one.
        annotations: what people read.
        page: the address of the page about what it is about.
        since: when the problem began to count, microseconds by Feldera's clock.
        ended: when it ended; None while it lasts.
    """

    labels: Labels
    annotations: Labels
    page: str
    since: int
    ended: int | None = None

    @property
    def key(self) -> frozenset[tuple[str, str]]:
        """The labels, to compare alerts by."""
        return frozenset(self.labels.items())


def alert(
    occurrence: Occurrence,
    told: int | Ended,
    instance: str,
    wording: Wording,
    pipeline: Pipeline | None = None,
    details: Details = UNKNOWN,
) -> Alert:
    """Return the alert of a problem.

    Args:
        occurrence: the problem.
        told: when it began to count, by Feldera's clock in microseconds, or that it has ended.
        instance: the name of the instance.
        wording: what the configuration says.
        pipeline: the pipeline as it is known; None where the problem is about the instance, or nothing is known of it.
        details: what a look at its event log told.
    """
    since, ended = (told.since, told.at) if isinstance(told, Ended) else (told, None)
    row = _row(occurrence)
    page = _page(occurrence, instance, wording)
    return Alert(
        labels=_labels(occurrence, instance, row.severity, wording),
        annotations=_filled(_annotations(occurrence, row, since, instance, wording, pipeline, page, details)),
        page=page,
        since=since,
        ended=ended,
    )


def wire(alert: Alert, now: int, lease: int) -> dict[str, Any]:
    """Return an alert as Alertmanager's API takes it; it refuses one that ends before it starts.

    Args:
        alert: the alert.
        now: Alertmanager's time, which decides what has ended; microseconds since the epoch.
        lease: for how many microseconds it holds without being sent again.
    """
    ends = now + lease if alert.ended is None else min(alert.ended, now)
    return {
        "labels": alert.labels,
        "annotations": alert.annotations,
        "generatorURL": alert.page,
        "startsAt": _instant(min(alert.since, ends if alert.ended is not None else now)),
        "endsAt": _instant(ends),
    }


def _row(occurrence: Occurrence) -> Problem[Any]:
    if occurrence.pipeline_id:
        return PIPELINE_PROBLEMS[occurrence.problem]
    return INSTANCE_PROBLEMS[occurrence.problem]


def _labels(occurrence: Occurrence, instance: str, severity: str, wording: Wording) -> Labels:
    own: dict[str, str] = {"feldera_instance": instance}
    if occurrence.pipeline_id:
        own |= {
            "pipeline": f"pipeline-{occurrence.pipeline_id}",
            "pipeline_name": occurrence.pipeline_name,
            "status": occurrence.label,
            **dict(occurrence.tags),
        }
    else:
        own["feldera_service"] = occurrence.label
    own |= {**wording.options.labels(occurrence.alert, severity), "alertname": occurrence.alert}
    return _filled({**wording.labels, **own})


def _filled(texts: Labels) -> Labels:
    """Return texts without the empty ones: to Prometheus and Alertmanager an empty label is none."""
    return {name: text for name, text in texts.items() if text}


def _annotations(
    occurrence: Occurrence,
    row: Problem[Any],
    since: int,
    instance: str,
    wording: Wording,
    pipeline: Pipeline | None,
    page: str,
    details: Details,
) -> Labels:
    options = wording.options
    name = occurrence.pipeline_name
    subject = sentences.pipeline(name, instance) if occurrence.pipeline_id else sentences.instance(instance)
    texts = {
        "summary": row.summary,
        "description": sentences.description(
            row, subject, occurrence.label, _limit(row, pipeline), _moment(since)
        ),
        "runbook_url": options.runbook(occurrence.alert),
        "dashboard_url": _board(occurrence, instance, options.dashboard_url),
    }
    if not occurrence.pipeline_id:
        return texts
    error = pipeline.facts.row.deployment_error if pipeline is not None else None
    message = short(error.message) if error is not None else ""
    return {
        **texts,
        "pipeline_url": page,
        "error_code": error.error_code if error is not None else "",
        "error_message": message,
        # Feldera may have another error by now: the details must belong to the message.
        "error_details": details.error_details if message and message == details.error_message else "",
        "waiting_for": details.waiting_for,
        "last_transitions": details.last_transitions,
    }


def _limit(row: Problem[Any], pipeline: Pipeline | None) -> str:
    if not row.limit_of or pipeline is None:
        return ""
    seconds = getattr(pipeline.facts.limits, row.limit_of)
    return "" if math.isinf(seconds) else f" of {formatting.duration(seconds)}"


def _page(occurrence: Occurrence, instance: str, wording: Wording) -> str:
    links = Links(wording.options.exporter_url.rstrip("/"))
    if not occurrence.pipeline_id:
        return links.to("/")
    return links.pipeline(instance, occurrence.pipeline_name, occurrence.pipeline_id)


def _board(occurrence: Occurrence, instance: str, grafana: str) -> str:
    about = f"var-feldera_instance={quote_plus(instance)}"
    if not occurrence.pipeline_id:
        return f"{grafana.rstrip('/')}/d/feldera-fleet?{about}"
    pipeline = quote_plus(f"pipeline-{occurrence.pipeline_id}")
    return f"{grafana.rstrip('/')}/d/feldera-pipeline?{about}&var-pipeline={pipeline}"


def _when(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=min(max(micros, _FIRST), _LAST))


def _instant(micros: int) -> str:
    return _when(micros).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _moment(micros: int) -> str:
    return f"{_when(micros):%Y-%m-%d %H:%M:%S} UTC"
