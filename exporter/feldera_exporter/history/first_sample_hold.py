"""The hold of first samples: the counters of a pipeline that has just appeared stay at 0 for two minutes.

Prometheus's `increase()` ignores the value of a counter's first sample.
"""

from typing import Final

import msgspec

from feldera_exporter.history import status_time
from feldera_exporter.history.history import Counts, History
from feldera_exporter.micros import Micros

HOLD: Final = 120_000_000
"""How long a new counter stays at 0, in microseconds: scrapes are at most that far apart."""


def is_held(history: History, now: Micros) -> bool:
    """Return whether a pipeline's counters must still be shown at 0, `now` by Feldera's clock."""
    return now < history.appeared + HOLD


def at_zero(history: History) -> History:
    """Return a history as it is shown while it is held: every counter is 0, everything else as it is."""
    return msgspec.structs.replace(
        history,
        counts=Counts(),
        # No as-of instant of the hold is as late as its end, so that no time is shown.
        status_time=status_time.begin(history.status_time.status, history.appeared + HOLD),
        errors=msgspec.structs.replace(history.errors, count=0),
    )
