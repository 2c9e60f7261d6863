"""The sentences about a problem: the rules fill them with templates, the exporter's own alerts with values."""

from typing import Any

from feldera_exporter.problems.model import Problem


def pipeline(name: str, instance: str) -> str:
    """Return what a pipeline is called."""
    return f"Pipeline {name} of {instance}"


def instance(name: str) -> str:
    """Return what an instance is called."""
    return f"Feldera instance {name}"


def description(row: Problem[Any], subject: str, label: str, limit: str, since: str) -> str:
    """Return what is the case, since when, and what to do first.

    Args:
        row: the problem's.
        subject: what the pipeline or the instance is called.
        label: the status or the service that the problem names.
        limit: the limit that counts, as ` of 10m`; empty where there is none.
        since: when the problem began to count.
    """
    meaning = row.meaning.format(subject=subject, label=label, limit=limit)
    return f"{meaning} Since {since}. {row.first_step}"
