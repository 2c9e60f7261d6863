"""The families that read a pipeline's history: transitions, time in each status, deployment errors."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Final, TypeVar

from feldera_exporter.exposition.family import Family, Sample, extra, known_instant
from feldera_exporter.exposition.text import seconds
from feldera_exporter.feldera.statuses import (
    DEPLOYMENT,
    PROGRAM,
    RESOURCES,
    RUNTIME,
    STORAGE,
    Dimension,
)
from feldera_exporter.history import status_time
from feldera_exporter.history.history import History
from feldera_exporter.metrics.pipeline_gauges import since_family

Key = TypeVar("Key")


def _counts(
    known: Iterable[Key], text: Callable[[Key], str]
) -> Callable[[Mapping[Key, int]], Iterable[Sample]]:
    """Return the function that reads counts by key, of which the known ones have a sample from the start.

    `text` returns the labels of a key as `extra` does.
    """
    zeros = {key: Sample("0", text(key)) for key in known}

    def read(counts: Mapping[Key, int]) -> Iterable[Sample]:
        return (zeros | {key: Sample(str(count), text(key)) for key, count in counts.items()}).values()

    return read


def _transitions(dimension: Dimension, field: str) -> Family[History]:
    """Return the family of a dimension's transitions. Every transition that Feldera allows has a sample from the start."""
    return Family(
        f"feldera_pipeline_{dimension.name}_transitions",
        "counter",
        f"Total number of transitions of {dimension.name}, from Feldera's event log.",
        ("from", "to"),
        _counts(dimension.transitions, lambda pair: extra(("from", pair[0]), ("to", pair[1]))),
        attrgetter(f"counts.{field}"),
    )


_ZERO_SECONDS: Final = {status: Sample("0", extra(("status", status))) for status in DEPLOYMENT.statuses}


def _earlier_statuses(history: History) -> Iterator[Sample]:
    """Yield the time of every status except the present one: it stays until the next transition."""
    spent = status_time.seconds(history.status_time, history.status_time.since)
    for status, zero in _ZERO_SECONDS.items():
        if status != history.status_time.status:
            micros = spent.pop(status, 0)
            yield Sample(seconds(micros), zero.extra) if micros else zero
    for status, micros in spent.items():
        if status != history.status_time.status:
            yield Sample(seconds(micros), extra(("status", status)))


SECONDS: Final[Family[History]] = Family(
    "feldera_pipeline_deployment_status_seconds",
    "counter",
    "Total time spent in each deployment status by Feldera's timestamps; the sum over all statuses is the time watched.",
    ("status",),
    _earlier_statuses,
)
"""The statuses except the present one; `live_seconds` makes the sample of that."""

FAMILIES: Final[tuple[Family[History], ...]] = (
    since_family(STORAGE, known_instant, attrgetter("since.storage")),
    _transitions(RESOURCES, "resources"),
    Family(
        "feldera_pipeline_deployment_runtime_status_transitions",
        "counter",
        "Total number of transitions to each runtime status, from Feldera's event log.",
        ("to",),
        _counts(RUNTIME.statuses, lambda status: extra(("to", status))),
        attrgetter("counts.runtime"),
    ),
    _transitions(PROGRAM, "program"),
    _transitions(STORAGE, "storage"),
    SECONDS,
    Family(
        "feldera_pipeline_deployment_errors",
        "counter",
        "Total number of deployment errors, including those dismissed before the next poll.",
        of=attrgetter("errors.count"),
    ),
    Family(
        "feldera_pipeline_deployment_error_timestamp_seconds",
        "gauge",
        "Time when the present deployment error appeared; only while one is set.",
        read=known_instant,
        of=lambda history: history.errors.at if history.errors.present else None,
    ),
)
