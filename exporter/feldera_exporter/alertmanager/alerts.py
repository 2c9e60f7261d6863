"""Problems as alerts for Alertmanager: the labels of the shipped rules, and annotations with more details."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote_plus

from feldera_exporter.micros import Micros, to_datetime
from feldera_exporter.pages import formatting
from feldera_exporter.pages.latest_events import LatestEvents, laid_out, waiting_for
from feldera_exporter.pages.links import Links
from feldera_exporter.pages.timeline import timeline
from feldera_exporter.problems.evaluate import Ended, Occurrence
from feldera_exporter.problems.model import Problem
from feldera_exporter.rules.rendering import RuleOptions, problem_annotations
from feldera_exporter.state.pipeline import Pipeline

MAX_CHARACTERS: Final = 2_000
"""The longest text of an annotation."""

_TRANSITIONS: Final = 5
"""The number of transitions in an annotation."""

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert: its labels, which are its identity, and what it says; `ended` is None while it lasts."""

    labels: Labels
    annotations: Labels
    page: str
    since: Micros
    ended: Micros | None = None

    @property
    def key(self) -> frozenset[tuple[str, str]]:
        """The labels as a hashable value."""
        return frozenset(self.labels.items())


def alert(
    occurrence: Occurrence,
    begin: Micros | Ended,
    instance: str,
    options: RuleOptions,
    pipeline: Pipeline | None = None,
    details: Labels = MappingProxyType({}),
) -> Alert:
    """Return the alert of a problem; `begin` is when it began to count, with its end if it has ended.

    There is no pipeline where the problem is about the instance, or the pipeline is not known. The details are annotations
    from its events, as `details` returns them.
    """
    since, ended = (begin.since, begin.at) if isinstance(begin, Ended) else (begin, None)
    row, labels = occurrence.row, _labels(occurrence, instance, options)
    links = Links(options.exporter_url.rstrip("/"))
    page = links.to("/")
    annotations = problem_annotations(
        options,
        row,
        lambda label: labels.get(label, ""),
        lambda label: quote_plus(labels.get(label, "")),
        _limit(row, pipeline),
        f"{to_datetime(since):%Y-%m-%d %H:%M:%S} UTC",
    )
    if occurrence.pipeline_id:
        page = links.pipeline(instance, occurrence.pipeline_name)
        annotations |= {"pipeline_url": page, **_error(pipeline), **details}
    return Alert(labels, _without_empty(annotations), page, since, ended)


def details(recent: LatestEvents, now: Micros) -> Labels:
    """Return the annotations from a pipeline's latest events: what Feldera waits for, and the last transitions."""
    waited = waiting_for(recent)
    known = timeline(recent.events or (), "", now)
    changes = known.changes[:_TRANSITIONS] if known is not None else ()
    return {
        "waiting_for": _short(waited.text) if waited is not None else "",
        # The newest first.
        "last_transitions": "\n".join(
            f"{change.at.instant} {change.what}: {change.before.text} → {change.after.text}"
            for change in changes
        ),
    }


def wire(alert: Alert, now: Micros, lease: Micros) -> dict[str, Any]:
    """Return an alert as the JSON object of Alertmanager's API; it fires for a lease if it is not sent again.

    Alertmanager decides by its own clock whether an alert has ended, and refuses an alert that ends before it starts.
    """
    ends = now + lease if alert.ended is None else min(alert.ended, now)
    return {
        "labels": alert.labels,
        "annotations": alert.annotations,
        "generatorURL": alert.page,
        "startsAt": _rfc3339(min(alert.since, ends if alert.ended is not None else now)),
        "endsAt": _rfc3339(ends),
    }


def _labels(occurrence: Occurrence, instance: str, options: RuleOptions) -> Labels:
    labels: dict[str, str] = {"feldera_instance": instance}
    if occurrence.pipeline_id:
        labels |= {
            "pipeline": f"pipeline-{occurrence.pipeline_id}",
            "pipeline_name": occurrence.pipeline_name,
            "status": occurrence.label,
            **dict(occurrence.tags),
        }
    else:
        labels["feldera_service"] = occurrence.label
    labels |= {
        **options.labels(occurrence.alert, occurrence.row.severity),
        "alertname": occurrence.alert,
    }
    return _without_empty({**options.external_labels, **labels})


def _without_empty(texts: Labels) -> Labels:
    """Return the texts that are not empty: for Prometheus and Alertmanager, an empty label does not exist."""
    return {name: text for name, text in texts.items() if text}


def _short(text: str) -> str:
    """Return the beginning of a text, at most `MAX_CHARACTERS`, with control characters made visible."""
    return formatting.visible(text[:MAX_CHARACTERS])


def _error(pipeline: Pipeline | None) -> Labels:
    error = pipeline.facts.row.deployment_error if pipeline is not None else None
    if error is None:
        return {}
    details = laid_out(error.details, error.cuts.details)
    return {
        "error_code": error.error_code,
        "error_message": _short(error.message),
        "error_details": _short(details.text) if details is not None else "",
    }


def _limit(row: Problem[Any], pipeline: Pipeline | None) -> str:
    if not row.limit_of or pipeline is None:
        return ""
    seconds = getattr(pipeline.facts.limits, row.limit_of)
    return "" if math.isinf(seconds) else f" of {formatting.duration(seconds)}"


def _rfc3339(at: Micros) -> str:
    return to_datetime(at).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
