"""How the time in the present status grows: as a line over the as-of instant, so that a poll need only shift it."""

from dataclasses import dataclass

from feldera_exporter.history.history import History
from feldera_exporter.micros import Micros


@dataclass(frozen=True, slots=True)
class TimeGrowth:
    """The published time in the present status, in microseconds: `max(as_of + offset, floor)`.

    Attributes:
        status: the present combined status.
        offset: what was spent in it before, minus when it began.
        floor: what was published already, or was spent when it began.
    """

    status: str
    offset: Micros
    floor: Micros

    def at(self, as_of: Micros) -> Micros:
        """Return the time to publish at an instant, in microseconds; it agrees with `history.seconds`."""
        return max(as_of + self.offset, self.floor)


def time_growth(history: History) -> TimeGrowth:
    """Return how the time in a pipeline's present status grows."""
    time = history.status_time
    offset = time.closed.get(time.status, 0) - time.since
    floor = max(max(time.since, time.credited) + offset, time.held.get(time.status, 0))
    return TimeGrowth(time.status, offset, floor)
