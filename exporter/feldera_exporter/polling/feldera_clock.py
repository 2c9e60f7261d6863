"""Feldera's present time: from the Date headers of its answers, and between two answers by this machine's monotonic clock."""

from dataclasses import dataclass, replace
from typing import Final

MAX_STEP: Final = 3600.0
"""Seconds by which a Date may differ from the expected time. A greater step counts only if the next answer confirms it:
status time that was counted is never taken back, so one wrong Date in the far future would stop the counters until then.
"""


@dataclass(frozen=True, slots=True)
class FelderaClock:
    """Feldera's clock. All attributes are in seconds.

    This machine's own time is not used between answers, because it may be set at any moment, for example by NTP.

    Attributes:
        offset: Feldera's time minus the monotonic clock. Before the first Date that counts, or without any Date, this
            machine's time minus the monotonic clock.
        skew: Feldera's time minus this machine's when the last Date that counts was received; 0 before the first one.
        known: whether a Date has counted yet.
        contradiction: how far the Date of the last answer was from the expected time, if it did not count; else None.
    """

    offset: float
    skew: float = 0.0
    known: bool = False
    contradiction: float | None = None

    def now(self, monotonic: float) -> float:
        """Return Feldera's time at an instant of the monotonic clock, in seconds since the epoch."""
        return monotonic + self.offset

    def after_answer(self, date: float, wall: float, monotonic: float) -> "FelderaClock":
        """Return the clock after an answer.

        A Date counts if Feldera's clock ran as the monotonic clock did, if it ran as this machine's time did (which also
        runs while the machine sleeps), or if the answer before contradicted in the same way.

        Args:
            date: the Date of the answer.
            wall: this machine's time when the answer was written.
            monotonic: the monotonic clock at that moment.
        """
        step = date - self.now(monotonic)
        skew = date - wall
        expected = [step, skew - self.skew]
        if self.contradiction is not None:
            expected.append(step - self.contradiction)
        if min(map(abs, expected)) <= MAX_STEP:
            return FelderaClock(date - monotonic, skew, known=True)
        return replace(self, contradiction=step)
