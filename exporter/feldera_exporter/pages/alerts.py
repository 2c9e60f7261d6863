"""The view of a firing alert."""

from dataclasses import dataclass

from feldera_exporter.micros import Micros
from feldera_exporter.pages import formatting, status_style
from feldera_exporter.pages.formatting import Moment
from feldera_exporter.pages.links import Links
from feldera_exporter.problems.alerts import PresentAlert
from feldera_exporter.problems.table import BY_ALERT
from feldera_exporter.state.pipeline import Facts


@dataclass(frozen=True, slots=True)
class FiringAlert:
    """A firing alert with its meaning.

    Attributes:
        name: the alert's name without the common prefix.
        runbook: the address of its runbook.
        label: the service that it names; empty without one.
        since: when the problem began to count; None where that is unknown.
        limit: how long the status may last; empty without a limit.
    """

    name: str
    severity: str
    look: str
    runbook: str
    summary: str
    first_step: str
    label: str
    since: Moment | None
    limit: str


def firing_alert(
    alert: PresentAlert, links: Links, now: Micros, instance: str, pipeline: Facts | None = None
) -> FiringAlert:
    """Return the view of a firing alert; the pipeline is None for an alert about the instance."""
    row = BY_ALERT[alert.name]
    name = limit = ""
    if pipeline is not None:
        name = pipeline.row.name
        limit = formatting.limit(getattr(pipeline.limits, row.limit_of)) if row.limit_of else ""
    return FiringAlert(
        name=alert.name.removeprefix("FelderaPipeline").removeprefix("Feldera"),
        severity=alert.severity,
        look=status_style.SEVERITIES.get(alert.severity, "idle"),
        runbook=links.runbook_of(alert.name, instance, name),
        summary=row.summary,
        first_step=row.first_step,
        label="" if alert.pipeline else alert.label,
        since=formatting.moment(alert.since, now) if alert.since > 0 else None,
        limit=limit,
    )
