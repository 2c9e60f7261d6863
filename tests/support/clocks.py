"""The clocks of a simulated Feldera: one that the caller advances, one that runs fast, one that is wrong."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Final

from feldera_exporter.micros import SECOND, Micros, from_seconds
from feldera_exporter.simulator.instance import Clock

EPOCH: Final[Micros] = 1_787_313_600 * SECOND
"""2026-08-21T12:00:00Z, the default start of a simulation."""


class ManualClock:
    """A clock that stands still until it is advanced; safe to share between threads."""

    def __init__(self, start: int = EPOCH) -> None:
        self._now = start
        self._lock = Lock()

    def now(self) -> Micros:
        """Return the instant that the last `advance` reached."""
        return self._now

    def advance(self, seconds: float) -> Micros:
        """Move on by some seconds and return the new instant.

        Raises:
            ValueError: the step is negative; time does not go back.
        """
        if seconds < 0:
            raise ValueError(f"a clock cannot be advanced by {seconds} seconds, only by 0 or more")
        with self._lock:
            self._now += from_seconds(seconds)
            return self._now


class ScaledClock:
    """A clock that runs `speed` times as fast as real time."""

    def __init__(
        self, start: int = EPOCH, speed: float = 1.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._start = start
        self._speed = speed
        self._monotonic = monotonic
        self._began = monotonic()

    def now(self) -> Micros:
        """Return the scaled instant."""
        return self._start + from_seconds((self._monotonic() - self._began) * self._speed)


class SkewedClock:
    """Another clock, wrong by a constant: for an instance whose machine has another time."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._skew = from_seconds(seconds)

    def now(self) -> Micros:
        """Return the other clock's instant plus the skew."""
        return self._clock.now() + self._skew
