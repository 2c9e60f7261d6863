"""When the next poll is due: a fixed grid without drift, a jittered start, and rarer tries while failing."""

from dataclasses import dataclass
from typing import Final

MAX_BACKOFF: Final = 60.0
"""Seconds between tries at most, however long the failure lasts."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The polls of one instance; seconds of a monotonic clock.

    Attributes:
        interval: between the starts of two polls.
        due: when the next one starts.
        failures: polls in a row that failed.
    """

    interval: float
    due: float
    failures: int = 0

    def ended(self, now: float, *, success: bool, retry_after: float = 0.0) -> "Schedule":
        """Return the schedule after a poll ended.

        After a success, and after the first failure, the next poll is due at the next instant of the grid; each
        further failure doubles the pause. A poll that took longer than the interval skips what it missed.

        Args:
            now: when it ended.
            success: whether the list could be read.
            retry_after: for how many seconds the server asks to be left alone: as long as it is, within `MAX_BACKOFF`.
        """
        failures = 0 if success else self.failures + 1
        # 2**10 intervals are beyond the greatest pause for any interval that is not.
        pause = self.interval * 2 ** min(max(failures - 1, 0), 10)
        pause = max(self.interval, min(pause, MAX_BACKOFF))
        due = self.due + pause
        earliest = now + min(retry_after, MAX_BACKOFF)
        if due <= earliest:
            due += -(-(earliest - due) // self.interval) * self.interval
        return Schedule(self.interval, due, failures)
