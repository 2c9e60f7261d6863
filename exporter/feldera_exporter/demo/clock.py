"""The clock of the simulated Feldera: advanced by the demo through the past, then the machine's clock."""

import time
from collections.abc import Callable
from typing import Final

from feldera_exporter.micros import Micros

_NANOSECONDS: Final = 1_000


def machine() -> Micros:
    """Return the machine's time in microseconds since the epoch."""
    return time.time_ns() // _NANOSECONDS


class StagedClock:
    """Stays at its start until it is released; never goes back, even if the machine's clock does.

    Args:
        start: where it stands first.
        present: returns the machine's time, likewise.
    """

    def __init__(self, start: int, present: Callable[[], int] = machine) -> None:
        self._reached = start
        self._present = present
        self._released = False

    def now(self) -> Micros:
        """Return the instant in microseconds since the epoch."""
        if self._released:
            self._reached = max(self._reached, self._present())
        return self._reached

    def release(self) -> None:
        """Jump to the machine's time and go on with it."""
        self._released = True
