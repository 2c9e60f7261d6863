"""The actions of an automaton at a poll, and how often it may write."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from feldera_exporter.micros import SECOND
from feldera_exporter.simulator.database import Work
from feldera_exporter.simulator.pipeline import Pipeline
from feldera_exporter.simulator.row import Row

DETAILS_AFTER: Final = 10 * SECOND
HEARTBEAT: Final = 600 * SECOND


@dataclass(frozen=True, slots=True)
class RunnerActions:
    """What a decision can do.

    Attributes:
        write: run a transaction on a pipeline's row; returns NEVER, as a notification will follow.
        wake: poll a pipeline at an instant off the grid, when something that blocks is over.
    """

    write: Callable[[Pipeline, Work], int]
    wake: Callable[[Pipeline, int], None]


def while_(resources: str, change: Callable[[Row, int], Row]) -> Work:
    """Return the work that changes a row which still has a resources status."""
    return lambda row, at: (change(row, at),) if row.resources == resources else ()
