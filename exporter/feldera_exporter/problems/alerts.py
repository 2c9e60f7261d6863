"""The alerts of the present problems, with the severities that the configuration chose."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from feldera_exporter.config import AlertChoice
from feldera_exporter.micros import Micros
from feldera_exporter.problems.evaluate import Occurrences

Choices = Mapping[str, AlertChoice]
"""The settings of alerts in the configuration, by the alert's name."""


@dataclass(frozen=True, slots=True, order=True)
class PresentAlert:
    """One firing alert.

    Attributes:
        severity: `critical`, `warning`, `info` or `none`.
        pipeline: the id of the pipeline; empty for an alert about the instance.
        label: the overdue status, or the service of Feldera; empty where the problem names none.
        since: when the problem began to count; 0 where that is not known.
    """

    name: str
    severity: str = ""
    pipeline: str = ""
    label: str = ""
    since: Micros = 0


def alerts(occurrences: Occurrences, choices: Choices) -> Iterator[PresentAlert]:
    """Yield one alert for each problem, with the severity that the configuration chose."""
    for occurrence, since in occurrences.items():
        choice = choices.get(occurrence.alert)
        severity = choice.severity if choice is not None and choice.severity else occurrence.row.severity
        yield PresentAlert(occurrence.alert, severity, occurrence.pipeline_id, occurrence.label, since)
