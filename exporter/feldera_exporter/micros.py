"""Instants and durations as whole microseconds: sums and differences are exact, which those of floating-point seconds are not."""

from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

Micros: TypeAlias = int
"""A duration in microseconds, or an instant: microseconds since the Unix epoch. In an instance's state by Feldera's clock."""

SECOND: Final[Micros] = 1_000_000

NEVER: Final[Micros] = 1 << 62
"""An instant that no clock reaches."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LAST: Final[Micros] = (datetime.max.replace(microsecond=0, tzinfo=UTC) - _EPOCH) // _MICROSECOND


def from_datetime(instant: datetime) -> Micros:
    """Return an instant with a time zone, exactly."""
    return (instant - _EPOCH) // _MICROSECOND


def to_datetime(instant: Micros) -> datetime:
    """Return an instant in UTC; an earlier one than 1970 or a later one than 9999 as the first or the last of those years."""
    return _EPOCH + timedelta(microseconds=min(max(instant, 0), _LAST))


def from_seconds(seconds: float) -> Micros:
    """Return seconds, rounded to the nearest microsecond."""
    return round(seconds * SECOND)
