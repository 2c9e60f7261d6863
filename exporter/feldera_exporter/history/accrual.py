"""How the time in the present status grows: as a line over the as-of instant, so that a poll need only shift it."""

from dataclasses import dataclass

from feldera_exporter.history.history import History


@dataclass(frozen=True, slots=True)
class Accrual:
    """The published time in the present status, in microseconds: `max(as_of + offset, floor)`.

    Attributes:
        status: the present combined status.
        offset: what was spent in it before, minus when it began.
        floor: what was published already, or was spent when it began.
    """

    status: str
    offset: int
    floor: int

    def at(self, as_of: int) -> int:
        """Return the time to publish at an instant, in microseconds; it agrees with `history.seconds`."""
        return max(as_of + self.offset, self.floor)


def accrual(history: History) -> Accrual:
    """Return how the time in a pipeline's present status grows."""
    spent = history.spent
    offset = spent.closed.get(spent.status, 0) - spent.since
    floor = max(max(spent.since, spent.credited) + offset, spent.held.get(spent.status, 0))
    return Accrual(spent.status, offset, floor)
