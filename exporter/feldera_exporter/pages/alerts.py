"""Firing alerts as pages show them."""

from dataclasses import dataclass
from typing import Final

from feldera_exporter.pages import formatting, status_style
from feldera_exporter.pages.links import Links
from feldera_exporter.problems.alerts import Alert
from feldera_exporter.rules.generated_files import ALERTS

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
        label: the service that it names; empty if it names none.
        since: when the problem began to count, as people read it; empty where that is not known.
        instant: the same for machines.
    """

    firing: FiringAlert
    summary: str
    label: str
    since: str
    instant: str


def shown(alert: Alert, links: Links) -> FiringAlert:
    """Return an alert as it is shown."""
    look = status_style.SEVERITIES.get(alert.severity, "idle")
    name = alert.name
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return FiringAlert(name, alert.severity, look, links.runbook_of(alert.name))


def warned(alert: Alert, links: Links, now: int) -> InstanceAlert:
    """Return an alert with what it means; `now` is microseconds since the epoch by Feldera's clock."""
    known = alert.since > 0
    return InstanceAlert(
        shown(alert, links),
        ALERTS[alert.name].summary,
        "" if alert.pipeline else alert.label,
        formatting.moment(alert.since, now) if known else "",
        formatting.instant(alert.since) if known else "",
    )
