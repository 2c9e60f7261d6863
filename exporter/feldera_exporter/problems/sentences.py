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

    The subject is as `pipeline` or `instance` return it, the limit ` of 10m` or empty.
    """
    meaning = row.meaning.format(subject=subject, label=label, limit=limit)
    return f"{meaning} Since {since}. {row.first_step}"
