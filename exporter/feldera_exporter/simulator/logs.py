"""A pipeline's log, as the runner keeps and numbers it (pipeline-manager `pipeline_logs.rs`).

Its lines are made of the pipeline's events on request: one for the beginning, and one for each event since.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid5

from feldera_exporter.micros import Micros
from feldera_exporter.simulator.api_errors import refusal
from feldera_exporter.simulator.events import EventRow
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.pipeline import SimulatedPipeline
from feldera_exporter.simulator.timestamps import instant_text

_PAUSE: Final = 0.1
"""Seconds of the wall's clock between two looks for new lines."""


@dataclass(frozen=True, slots=True)
class Log:
    """What is retained of a pipeline's log.

    Attributes:
        epoch: the lifetime of the log: another one after each restart of the runner.
        discarded: how many lines there were before those that are retained.
        lines: the retained ones, oldest first.
    """

    epoch: str
    discarded: int
    lines: list[str]

    @property
    def end(self) -> int:
        """The number of the newest line; the first one ever is 1."""
        return self.discarded + len(self.lines)

    def after(self, number: int) -> bytes:
        """Return the retained lines behind a number."""
        return "".join(f"{line}\n" for line in self.lines[max(0, number - self.discarded) :]).encode()


@dataclass(frozen=True, slots=True)
class Position:
    """Where an answer begins.

    Attributes:
        epoch: the log's.
        number: that of the line before the answer's first one.
        gap: how many lines the reader misses.
    """

    epoch: str
    number: int
    gap: int


def log_of(pipeline: SimulatedPipeline) -> Log:
    """Return a pipeline's log as it is now."""
    begun, log = pipeline.automaton.begun, pipeline.log
    lost = log.trimmed - pipeline.automaton.recorded
    lines = [_line(pipeline, event.recorded_at, _line_of(event)) for event in list(log)[max(0, -lost) :]]
    if lost <= 0:
        lines.insert(0, _line(pipeline, begun, "Fresh start of pipeline logs"))
    return Log(str(uuid5(UUID(pipeline.id), str(begun))), lost + 1 if lost > 0 else 0, lines)


def position(log: Log, cursor: str) -> Position:
    """Return where an answer to a cursor begins; an empty one asks for all that there is.

    Raises:
        ApiError: 400, the cursor is none.
    """
    if not cursor:
        return Position(log.epoch, log.discarded, 0)
    epoch, _, number = cursor.rpartition(":")
    try:
        UUID(epoch)
        wanted = int(number)
    except ValueError:
        raise refusal("InvalidLogCursorParam", value=cursor, error="expected <epoch>:<sequence>") from None
    if epoch != log.epoch or wanted > log.end:
        return Position(log.epoch, log.discarded, log.discarded)
    begin = max(wanted, log.discarded)
    return Position(log.epoch, begin, begin - wanted)


async def followed(feldera: Feldera, pipeline: SimulatedPipeline, begin: Position) -> AsyncIterator[bytes]:
    """Give what is retained behind a position, then new lines as they come, until the log ends.

    It ends when the pipeline is deleted, and when the runner restarts.
    """
    number = begin.number
    while True:
        with feldera.lock:
            feldera.settle()
            log = log_of(pipeline)
        if log.epoch != begin.epoch or not pipeline.alive:
            return
        # Also yields nothing from time to time, so that a closed connection is noticed.
        yield log.after(number)
        number = log.end
        await asyncio.sleep(_PAUSE)


def _line(pipeline: SimulatedPipeline, instant: Micros, text: str) -> str:
    return (
        f"[manager] {instant_text(instant)}  INFO runner: {text} "
        f'pipeline-id="{pipeline.id}" pipeline-name="{pipeline.row.name}"'
    )


def _line_of(event: EventRow) -> str:
    """Return an event as a line of the log."""
    statuses = event.statuses
    runtime = f", {statuses.runtime}" if statuses.runtime else ""
    error = f", failed with {event.details.error.error_code}" if event.details.error else ""
    return f"{statuses.resources}{runtime}{error} (program {statuses.program}, storage {statuses.storage})"
