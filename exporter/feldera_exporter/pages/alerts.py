"""The view of a firing alert."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from feldera_exporter.micros import Micros
from feldera_exporter.pages import formatting, status_style
from feldera_exporter.pages.formatting import Moment
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
    """A firing alert in a row of a table.

    Attributes:
        name: without the common prefix.
        severity: the severity.
        look: the look of the severity.
        runbook: the address of its runbook, empty if there is none.
    """

    name: str
    severity: str
    look: str
    runbook: str


@dataclass(frozen=True, slots=True)
class AlertDetails:
    """A firing alert with its meaning.

    Attributes:
        firing: the alert in short.
        summary: what it means.
        first_step: what to do first.
        label: the service that it names; empty without one.
        since: when the problem began to count; None where that is unknown.
        limit: how long the status may last; empty without a limit.
    """

    firing: FiringAlert
    summary: str
    first_step: str
    label: str
    since: Moment | None
    limit: str


def firing_alert(alert: Alert, links: Links, instance: str, name: str = "") -> FiringAlert:
    """Return the view of a firing alert.

    Args:
        alert: the alert.
        links: the addresses of the exporter's pages.
        instance: the name of the instance.
        name: the name of the alert's pipeline; empty for an alert about the instance.
    """
    look = status_style.SEVERITIES.get(alert.severity, "idle")
    short = alert.name
    for prefix in _PREFIXES:
        short = short.removeprefix(prefix)
    return FiringAlert(short, alert.severity, look, links.runbook_of(alert.name, instance, name))


def alert_details(
    alert: Alert, links: Links, now: Micros, instance: str, pipeline: Facts | None = None
) -> AlertDetails:
    """Return the view of a firing alert with its meaning.

    Args:
        alert: the alert.
        links: the addresses of the exporter's pages.
        now: by Feldera's clock.
        instance: the name of the instance.
        pipeline: the alert's pipeline; None for an alert about the instance.
    """
    row = PROBLEMS[alert.name]
    return AlertDetails(
        firing_alert(alert, links, instance, "" if pipeline is None else pipeline.row.name),
        row.summary,
        row.first_step,
        "" if alert.pipeline else alert.label,
        formatting.moment(alert.since, now) if alert.since > 0 else None,
        formatting.limit(getattr(pipeline.limits, row.limit_of))
        if pipeline is not None and row.limit_of
        else "",
    )
