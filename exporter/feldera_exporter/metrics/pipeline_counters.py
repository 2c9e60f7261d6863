"""The families that read a pipeline's history: transitions, time in status, errors."""

from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Final

from feldera_exporter.exposition.family import Family, Fixed, Sample, extra
from feldera_exporter.exposition.text import seconds
from feldera_exporter.feldera.statuses import (
    DEPLOYMENT,
    PROGRAM,
    RESOURCES,
    RUNTIME,
    STORAGE,
    Dimension,
    Pair,
)
from feldera_exporter.history import history as told
from feldera_exporter.history.history import Errors, History
from feldera_exporter.metrics.pipeline_gauges import since_family


def _transitions(dimension: Dimension, field: str) -> Family[History]:
    """Return the transitions of a dimension by (from, to); every pair that Feldera allows exists from the start."""
    zeros = {pair: Sample("0", extra(("from", pair[0]), ("to", pair[1]))) for pair in dimension.transitions}
    none = Fixed(zeros.values())

    def read(counts: Mapping[Pair, int]) -> Iterable[Sample]:
        if not counts:
            return none
        counted = {
            pair: Sample(str(count), extra(("from", pair[0]), ("to", pair[1])))
            for pair, count in counts.items()
        }
        return (zeros | counted).values()

    return Family(
        f"feldera_pipeline_{dimension.name}_transitions",
        "counter",
        f"Transitions of {dimension.name}, from Feldera's event log.",
        ("from", "to"),
        read,
        attrgetter(f"counts.{field}"),
    )


_ENTRIES: Final = {status: Sample("0", extra(("to", status))) for status in RUNTIME.statuses}
_NO_ENTRIES: Final = Fixed(_ENTRIES.values())


def _entries(counts: Mapping[str, int]) -> Iterable[Sample]:
    if not counts:
        return _NO_ENTRIES
    return (
        _ENTRIES | {status: Sample(str(count), extra(("to", status))) for status, count in counts.items()}
    ).values()


_SPENT: Final = {status: Sample("0", extra(("status", status))) for status in DEPLOYMENT.statuses}


def _closed(history: History) -> Iterator[Sample]:
    """Give every status but the present one: their time stands still until something happens."""
    spent = dict(told.seconds(history, history.status_time.since))
    for status, zero in _SPENT.items():
        if status != history.status_time.status:
            micros = spent.pop(status, 0)
            yield Sample(seconds(micros), zero.extra) if micros else zero
    for status, micros in spent.items():
        if status != history.status_time.status:
            yield Sample(seconds(micros), extra(("status", status)))


def _instant(micros: int | None) -> Iterator[Sample]:
    # Zeros are written that stand for nothing.
    if micros is not None and micros > 0:
        yield Sample(seconds(micros))


def _count(count: int) -> Iterator[Sample]:
    yield Sample(str(count))


def _present_error(errors: Errors) -> Iterator[Sample]:
    if errors.present:
        yield from _instant(errors.at)


SECONDS: Final[Family[History]] = Family(
    "feldera_pipeline_deployment_status_seconds",
    "counter",
    "Time spent in each deployment status by Feldera's timestamps; over all statuses it adds up to the time watched.",
    ("status",),
    _closed,
)
"""Read here is every status but the present one, whose sample is made in `ticking`."""

FAMILIES: Final[tuple[Family[History], ...]] = (
    since_family(STORAGE, _instant, attrgetter("since.storage")),
    _transitions(RESOURCES, "resources"),
    Family(
        "feldera_pipeline_deployment_runtime_status_transitions",
        "counter",
        "Entries into each runtime status, from Feldera's event log.",
        ("to",),
        _entries,
        attrgetter("counts.runtime"),
    ),
    _transitions(PROGRAM, "program"),
    _transitions(STORAGE, "storage"),
    SECONDS,
    Family(
        "feldera_pipeline_deployment_errors",
        "counter",
        "Deployment errors that appeared, also those that were dismissed before the next poll.",
        (),
        _count,
        attrgetter("errors.count"),
    ),
    Family(
        "feldera_pipeline_deployment_error_timestamp_seconds",
        "gauge",
        "When the present deployment error appeared; only while one is set.",
        (),
        _present_error,
        attrgetter("errors"),
    ),
)
