"""The sentences about a problem. The rules fill them with Prometheus's templates, the bridge to Alertmanager with values."""

from typing import Any

from feldera_exporter.problems.model import Problem


def pipeline(name: str, instance: str) -> str:
    """Return how sentences name a pipeline."""
    return f"Pipeline {name} of {instance}"


def instance(name: str) -> str:
    """Return how sentences name an instance."""
    return f"Feldera instance {name}"


def description(row: Problem[Any], subject: str, label: str, limit: str, since: str) -> str:
    """Return the description of a problem: its meaning, since when, and what to do first.

    Args:
        row: the problem's row of the table.
        subject: the pipeline or the instance, as `pipeline` and `instance` name it.
        label: the status or the service that the problem names.
        limit: the limit of the status, as ` of 10m`; empty where there is none.
        since: when the problem began to count.
    """
    meaning = row.meaning.format(subject=subject, label=label, limit=limit)
    return f"{meaning} Since {since}. {row.first_step}"
