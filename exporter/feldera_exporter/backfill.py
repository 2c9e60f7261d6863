"""History from before the exporter was installed: Feldera's retained events as samples with timestamps.

The format is what `promtool tsdb create-blocks-from openmetrics` reads. Between two events a status is repeated often
enough for Prometheus to find it at every instant: its lookback is five minutes.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from feldera_exporter.exposition.text import Format, header, labels
from feldera_exporter.feldera.statuses import DEPLOYMENT, PROGRAM, RESOURCES, RUNTIME, STORAGE, combine
from feldera_exporter.history.event_order import ordered
from feldera_exporter.history.observation import Observation

STEP: Final = 240_000
"""Milliseconds between repetitions: with one scrape's worth of slack below the lookback of five minutes."""

LABELS: Final = ("feldera_instance", "pipeline", "pipeline_name", "status")
"""The labels that the samples have of themselves."""

_MICROS: Final = 1000


@dataclass(frozen=True, slots=True)
class Past:
    """What one pipeline's retained events tell.

    Attributes:
        shared: the labels of all its samples.
        observations: in any order.
        until: up to when they tell it, in microseconds since the epoch by Feldera's clock.
    """

    shared: tuple[tuple[str, str], ...]
    observations: Sequence[Observation]
    until: int


@dataclass(frozen=True, slots=True)
class _Column:
    family: str
    help: str
    read: Callable[[Observation], str | None]
    label: str | None


def _combined(observation: Observation) -> str | None:
    return combine(observation.resources, observation.runtime)


_COLUMNS: Final = (
    _Column(DEPLOYMENT.name, "Deployment status, resources and runtime combined.", _combined, "status"),
    _Column(RESOURCES.name, "Status of the pipeline's resources.", lambda told: told.resources, "status"),
    _Column(RUNTIME.name, "Runtime status.", lambda told: told.runtime, "status"),
    _Column(PROGRAM.name, "Status of the program's compilation.", lambda told: told.program, "status"),
    _Column(STORAGE.name, "Status of the pipeline's storage.", lambda told: told.storage, "status"),
    _Column(
        "deployment_has_error",
        "Whether a deployment error is set.",
        lambda told: "error" if told.has_error else None,
        None,
    ),
)


def exposition(pasts: Iterable[Past]) -> Iterator[str]:
    """Yield the lines of an OpenMetrics text with timestamps.

    Only statuses that a pipeline had are written, each from the oldest retained event on: 1 while it held, else 0.
    """
    told = [
        (past.shared, ordered(past.observations, None)[0], past.until // _MICROS)
        for past in pasts
        if past.observations
    ]
    for column in _COLUMNS:
        name = f"feldera_pipeline_{column.family}"
        yield header(name, "gauge", column.help, Format.OPENMETRICS).decode()
        for shared, observations, until in told:
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
    seen = {value for _, value in changes if value is not None} or (
        {"error"} if column.label is None else set()
    )
    for value in sorted(seen):
        extra = ((column.label, value),) if column.label is not None else ()
        series = f"{name}{{{labels((*shared, *extra))}}}"
        for at in _grid(instants, until):
            holds = changes[bisect_right(instants, at) - 1][1] == value
            yield f"{series} {int(holds)} {at // 1000}.{at % 1000:03d}\n"


def _changes(
    read: Callable[[Observation], str | None], observations: Sequence[Observation]
) -> list[tuple[int, str | None]]:
    """Return from when on each value held, in milliseconds rounded up, so that no status shows before it began."""
    changes: list[tuple[int, str | None]] = []
    for observation in observations:
        at, value = -(-observation.at // _MICROS), read(observation)
        # A transaction that waited for the lock may carry an older time: it cannot have begun before the last.
        at = max(at, changes[-1][0]) if changes else at
        if changes and changes[-1][0] == at:
            changes[-1] = at, value
        elif not changes or changes[-1][1] != value:
            changes.append((at, value))
    return changes


def _grid(instants: Sequence[int], until: int) -> list[int]:
    """Return every change and the steps in between."""
    steps = range(instants[0] - instants[0] % STEP + STEP, until, STEP)
    return sorted({*instants, *steps})
