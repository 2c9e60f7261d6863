"""When the next poll is due: at a fixed interval without drift, and less often while polls fail."""

import math
from dataclasses import dataclass
from typing import Final

MAX_BACKOFF: Final = 60.0
"""Seconds between two polls at most, however long they fail."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The polls of one instance; seconds of a monotonic clock.

    Attributes:
        interval: the interval between the starts of two polls.
        due: when the next poll starts.
        failures: the number of failed polls in a row.
    """

    interval: float
    due: float
    failures: int = 0

    def ended(self, now: float, *, success: bool, retry_after: float = 0.0) -> "Schedule":
        """Return the schedule after a poll ended.

        After a success, and after the first failure, the next poll is due one interval later; each further failure
        doubles that. After a success that took longer than the interval, the next poll starts at once, as one of Go's
        tickers does: of the polls that it delayed, only the last one is made up for. After a failure they are skipped.

        Args:
            now: when the poll ended.
            success: whether the list could be read.
            retry_after: seconds for which the server asks for no other request; observed up to `MAX_BACKOFF`.
        """
        failures = 0 if success else self.failures + 1
        # A limit of the exponent: 2**10 intervals are longer than `MAX_BACKOFF`.
        pause = self.interval * 2 ** min(max(failures - 1, 0), 10)
        pause = max(self.interval, min(pause, MAX_BACKOFF))
        due = self.due + pause
        earliest = now + min(retry_after, MAX_BACKOFF)
        late = max(0.0, earliest - due) / self.interval
        due += self.interval * (math.floor(late) if success else math.ceil(late))
        return Schedule(self.interval, due, failures)
