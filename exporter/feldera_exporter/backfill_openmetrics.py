"""Exports Feldera's retained events as samples with timestamps, for the time before the exporter was installed.

`promtool tsdb create-blocks-from openmetrics` reads the format. Between two events, the samples of a status are repeated
within Prometheus's lookback of five minutes, so that queries find them at every instant.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from feldera_exporter.exposition.text import Format, header, labels
from feldera_exporter.feldera.statuses import DEPLOYMENT, PROGRAM, RESOURCES, RUNTIME, STORAGE, combine
from feldera_exporter.history.event_order import ordered
from feldera_exporter.history.observation import Observation
from feldera_exporter.micros import Micros

STEP_MILLISECONDS: Final = 240_000
"""The time between repetitions, one minute below Prometheus's lookback of five minutes."""

LABELS: Final = ("feldera_instance", "pipeline", "pipeline_name", "status")
"""The labels of the samples, besides those that the user adds."""

_MICROS_PER_MILLISECOND: Final = 1000


@dataclass(frozen=True, slots=True)
class RetainedEvents:
    """The retained events of one pipeline.

    Attributes:
        shared: the labels of all its samples.
        observations: the events, in any order.
        until: up to when samples are written, by Feldera's clock.
    """

    shared: tuple[tuple[str, str], ...]
    observations: Sequence[Observation]
    until: Micros


@dataclass(frozen=True, slots=True)
class _Column:
    family: str
    help: str
    read: Callable[[Observation], str | None]
    label: str | None


_COLUMNS: Final = (
    _Column(
        DEPLOYMENT.name,
        "Deployment status, resources and runtime combined.",
        lambda event: combine(event.resources, event.runtime),
        "status",
    ),
    _Column(RESOURCES.name, "Status of the pipeline's resources.", lambda event: event.resources, "status"),
    _Column(RUNTIME.name, "Runtime status.", lambda event: event.runtime, "status"),
    _Column(PROGRAM.name, "Status of the program's compilation.", lambda event: event.program, "status"),
    _Column(STORAGE.name, "Status of the pipeline's storage.", lambda event: event.storage, "status"),
    _Column(
        "deployment_has_error",
        "Whether a deployment error is set.",
        lambda event: "error" if event.has_error else None,
        None,
    ),
)


def exposition(pipelines: Iterable[RetainedEvents]) -> Iterator[str]:
    """Yield the text in the OpenMetrics format, in parts.

    Each status that a pipeline had has samples from the oldest retained event on: 1 while it was present, else 0.
    """
    logs = [
        (each.shared, ordered(each.observations, None)[0], each.until // _MICROS_PER_MILLISECOND)
        for each in pipelines
        if each.observations
    ]
    for column in _COLUMNS:
        name = f"feldera_pipeline_{column.family}"
        yield header(name, "gauge", column.help, Format.OPENMETRICS).decode()
        for shared, observations, until in logs:
            yield from _series(column, name, shared, observations, until)
    yield Format.OPENMETRICS.end.decode()


def _series(
    column: _Column,
    name: str,
    shared: tuple[tuple[str, str], ...],
    observations: Sequence[Observation],
    until: int,
) -> Iterator[str]:
    changes = _changes(column.read, observations)
    instants = [at for at, _ in changes]
    values = {value for _, value in changes if value is not None} or (
        {"error"} if column.label is None else set()
    )
    for value in sorted(values):
        extra = ((column.label, value),) if column.label is not None else ()
        series = f"{name}{{{labels((*shared, *extra))}}}"
        for at in _grid(instants, until):
            holds = changes[bisect_right(instants, at) - 1][1] == value
            yield f"{series} {int(holds)} {at // 1000}.{at % 1000:03d}\n"


def _changes(
    read: Callable[[Observation], str | None], observations: Sequence[Observation]
) -> list[tuple[int, str | None]]:
    """Return when each value began, with the value, in milliseconds rounded up: no status shows before it began."""
    changes: list[tuple[int, str | None]] = []
    for observation in observations:
        at, value = -(-observation.at // _MICROS_PER_MILLISECOND), read(observation)
        # A transaction that waited for a lock may have an older time than the one before it.
        at = max(at, changes[-1][0]) if changes else at
        if changes and changes[-1][0] == at:
            changes[-1] = at, value
        elif not changes or changes[-1][1] != value:
            changes.append((at, value))
    return changes


def _grid(instants: Sequence[int], until: int) -> list[int]:
    """Return the instants of the samples in milliseconds: every change, and the steps in between."""
    steps = range(instants[0] - instants[0] % STEP_MILLISECONDS + STEP_MILLISECONDS, until, STEP_MILLISECONDS)
    return sorted({*instants, *steps})
