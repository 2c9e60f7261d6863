"""Alerts as people see them: the present problems with the severities that the configuration chose."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from feldera_exporter.config import AlertChoice
from feldera_exporter.problems.evaluate import Occurrences
from feldera_exporter.problems.table import INSTANCE_PROBLEMS, PIPELINE_PROBLEMS

Choices = Mapping[str, AlertChoice]
"""What the configuration says of alerts, by name."""

NO_CHOICES: Final[Choices] = MappingProxyType({})


@dataclass(frozen=True, slots=True, order=True)
class Alert:
    """One firing alert.

    Attributes:
        name: the alert's.
        severity: `critical`, `warning`, `info` or `none`.
        pipeline: the id of the pipeline that it is about, empty if it is about none.
        label: the overdue status or the service that it names, empty if it names none.
        since: when the problem began to count, microseconds by Feldera's clock; 0 where that is not known.
    """

    name: str
    severity: str = ""
    pipeline: str = ""
    label: str = ""
    since: int = 0


def alerts(occurrences: Occurrences, choices: Choices = NO_CHOICES) -> Iterator[Alert]:
    """Yield the alerts of problems.

    Args:
        occurrences: the problems, with when each began to count.
        choices: what the configuration says of alerts.
    """
    for each, since in occurrences.items():
        row = (PIPELINE_PROBLEMS if each.pipeline_id else INSTANCE_PROBLEMS)[each.problem]
        choice = choices.get(each.alert)
        severity = choice.severity if choice is not None and choice.severity else row.severity
        yield Alert(each.alert, severity, each.pipeline_id, each.label, since)
