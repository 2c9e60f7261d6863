"""The pieces of PromQL for what the shipped rules say: the alerts that fire."""

from typing import Final

from boards.colours import SEVERITIES
from boards.queries import indented

FIRING: Final = 'alertname=~"Feldera.+", alertstate="firing"'
_INSTANCE: Final = 'feldera_instance=~"$feldera_instance|"'
_URGENT: Final = tuple((rank, name) for rank, (name, _) in SEVERITIES.items() if name != "info")


def _severity(name: str) -> str:
    return f'severity="{name}"' if name else 'severity!="none"'


def of_pipelines(severity: str = "") -> str:
    """Return the alerts about pipelines chosen, of one severity or of any that needs somebody."""
    chosen = f'{_INSTANCE}, pipeline=~"$pipeline", team=~"$team", tier=~"$tier"'
    return f"ALERTS{{{FIRING}, {_severity(severity)}, {chosen}}}"


def alerts(severity: str = "") -> str:
    """Return those, and the alerts about the instances chosen or the exporter itself."""
    return f'{of_pipelines(severity)}\nor ALERTS{{{FIRING}, {_severity(severity)}, {_INSTANCE}, pipeline=""}}'


def ranked() -> str:
    """Return the firing alerts, each with a number that sorts by severity."""
    return "\nor ".join(f"{rank} * (\n{indented(alerts(name))}\n)" for rank, (name, _) in SEVERITIES.items())


def worst_of_each() -> str:
    """Return the gravest alert of each pipeline: its name as a label, and a number that sorts by severity."""
    known = "\nor ".join(f"{rank} * {of_pipelines(name)}" for rank, (name, _) in SEVERITIES.items())
    by = "feldera_instance, pipeline, pipeline_name, alertname"
    return f"topk by (feldera_instance, pipeline) (1,\n  max by ({by}) (\n{indented(indented(known))}\n  )\n)"


def urgency() -> str:
    """Return the severity, as a number that sorts, of the gravest alert that calls somebody, for each pipeline."""
    known = "\nor ".join(f"{rank} * {of_pipelines(name)}" for rank, name in _URGENT)
    return f"max by (feldera_instance, pipeline) (\n{indented(known)}\n)"
