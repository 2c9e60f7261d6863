"""Firing alerts as pages show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from feldera_exporter.pages import formatting, status_style
from feldera_exporter.pages.links import Links
from feldera_exporter.problems.alerts import Alert
from feldera_exporter.problems.model import Problem
from feldera_exporter.problems.table import (
    INSTANCE_PROBLEMS,
    PIPELINE_PROBLEMS,
    instance_alert,
    pipeline_alert,
)
from feldera_exporter.state.pipeline import Facts

PROBLEMS: Final[Mapping[str, Problem[Any]]] = MappingProxyType(
    {
        **{pipeline_alert(name): row for name, row in PIPELINE_PROBLEMS.items()},
        **{instance_alert(name): row for name, row in INSTANCE_PROBLEMS.items()},
    }
)
"""The row of the problem of each alert, by the alert's name."""

_PREFIXES: Final = ("FelderaPipeline", "Feldera")


@dataclass(frozen=True, slots=True)
class FiringAlert:
    """An alert as it is shown.

    Attributes:
        name: without the common prefix.
        severity: in words.
        look: of the severity.
        runbook: the address of its runbook, empty if there is none.
    """

    name: str
    severity: str
    look: str
    runbook: str


@dataclass(frozen=True, slots=True)
class InstanceAlert:
    """An alert with what it means.

    Attributes:
        firing: the alert.
        summary: its headline.
        first_step: what to do first.
        label: the service that it names; empty if it names none.
        since: when the problem began to count, as people read it; empty where that is not known.
        instant: the same for machines.
        ago: how long ago that is.
        limit: how long the status may last, empty where no limit counts.
    """

    firing: FiringAlert
    summary: str
    first_step: str
    label: str
    since: str
    instant: str
    ago: str
    limit: str


def shown(alert: Alert, links: Links, instance: str, name: str = "") -> FiringAlert:
    """Return an alert as it is shown.

    Args:
        alert: the alert.
        links: where the exporter's pages are.
        instance: the name of the instance.
        name: of the pipeline that it is about, empty if it is about none.
    """
    look = status_style.SEVERITIES.get(alert.severity, "idle")
    short = alert.name
    for prefix in _PREFIXES:
        short = short.removeprefix(prefix)
    return FiringAlert(short, alert.severity, look, links.runbook_of(alert.name, instance, name))


def warned(
    alert: Alert, links: Links, now: int, instance: str, pipeline: Facts | None = None
) -> InstanceAlert:
    """Return an alert with what it means.

    Args:
        alert: the alert.
        links: where the exporter's pages are.
        now: microseconds since the epoch by Feldera's clock.
        instance: the name of the instance.
        pipeline: that it is about, None if it is about none.
    """
    row = PROBLEMS[alert.name]
    known = alert.since > 0
    return InstanceAlert(
        shown(alert, links, instance, "" if pipeline is None else pipeline.row.name),
        row.summary,
        row.first_step,
        "" if alert.pipeline else alert.label,
        formatting.moment(alert.since, now) if known else "",
        formatting.instant(alert.since) if known else "",
        formatting.ago(alert.since, now) if known else "",
        formatting.limit(getattr(pipeline.limits, row.limit_of))
        if pipeline is not None and row.limit_of
        else "",
    )
