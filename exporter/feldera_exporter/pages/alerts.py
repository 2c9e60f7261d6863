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
    """A firing alert in a row of a table; its name is without the common prefix, `runbook` is an address."""

    name: str
    severity: str
    look: str
    runbook: str


@dataclass(frozen=True, slots=True)
class AlertDetails:
    """A firing alert with its meaning.

    Attributes:
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


def firing_alert(alert: PresentAlert, links: Links, instance: str, name: str = "") -> FiringAlert:
    """Return the view of a firing alert; `name` is that of its pipeline, empty for an alert about the instance."""
    look = status_style.SEVERITIES.get(alert.severity, "idle")
    short = alert.name.removeprefix("FelderaPipeline").removeprefix("Feldera")
    return FiringAlert(short, alert.severity, look, links.runbook_of(alert.name, instance, name))


def alert_details(
    alert: PresentAlert, links: Links, now: Micros, instance: str, pipeline: Facts | None = None
) -> AlertDetails:
    """Return the view of a firing alert with its meaning; the pipeline is None for an alert about the instance."""
    row = BY_ALERT[alert.name]
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
