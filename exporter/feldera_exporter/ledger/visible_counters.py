"""The counters as they are exported, so that Prometheus misses no increase.

The counters of a pipeline that has just appeared stay at 0 for two minutes: Prometheus's `increase()` ignores the value of
a counter's first sample. The time in a status stands still while it is not known whether that status still holds. All
instants are by Feldera's clock.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from feldera_exporter.history import status_time
from feldera_exporter.history.history import Counts, History
from feldera_exporter.history.instance_totals import InstanceTotals
from feldera_exporter.micros import SECOND, Micros
from feldera_exporter.state.fleet import PublishedCounters

HOLD: Final = 120 * SECOND
"""How long a new counter stays at 0: scrapes are at most that far apart."""


class VisibleCounters:
    """The exported counters of one instance.

    Args:
        totals: the stored counters over all pipelines, which are exported as they are.
    """

    def __init__(self, totals: InstanceTotals) -> None:
        self._exported: dict[str, History] = {}
        self._copy: Mapping[str, History] | None = None
        self._held: set[str] = set()
        # Up to when present statuses are credited, of the pipelines whose log must be read.
        self._frozen: dict[str, Micros] = {}
        # Until when each error code is held.
        self._codes = dict.fromkeys(totals.errors, 0)

    def show(self, pipeline_id: str, history: History, now: Micros) -> None:
        """Export a pipeline's counters; at 0 while they are held at this instant."""
        if is_held(history, now):
            self._held.add(pipeline_id)
            history = at_zero(history)
        self._exported[pipeline_id] = history
        self._copy = None

    def release(self, histories: Mapping[str, History], now: Micros) -> None:
        """Export the counters of the pipelines whose hold has ended."""
        held, self._held = self._held, set()
        for pipeline_id in held:
            if is_held(histories[pipeline_id], now):
                self._held.add(pipeline_id)
            else:
                self.show(pipeline_id, histories[pipeline_id], now)

    def freeze(self, pipeline_id: str, credited: Micros) -> None:
        """Credit the present status no further: the log will show whether it still holds."""
        self._frozen.setdefault(pipeline_id, credited)

    def thaw(self, pipeline_id: str) -> None:
        """Credit the present status again."""
        self._frozen.pop(pipeline_id, None)

    def credited(self, pipeline_id: str, history: History, as_of: Micros) -> Micros:
        """Return up to when a pipeline's present status is credited: `as_of` unless it is held or frozen."""
        if pipeline_id in self._held:
            # As before the hold.
            return history.status_time.credited
        return self._frozen.get(pipeline_id, as_of)

    def remove(self, pipeline_id: str) -> None:
        """Export a pipeline no longer."""
        del self._exported[pipeline_id]
        self._held.discard(pipeline_id)
        self._frozen.pop(pipeline_id, None)
        self._copy = None

    def published(self, totals: InstanceTotals, as_of: Micros, now: Micros) -> PublishedCounters:
        """Return the exported counters after a list of the instant `now`; present statuses are credited up to `as_of`."""
        if self._copy is None:
            self._copy = dict(self._exported)
        errors = {
            code: 0 if now < self._codes.setdefault(code, now + HOLD) else count
            for code, count in totals.errors.items()
        }
        if errors != totals.errors:
            totals = msgspec.structs.replace(totals, errors=errors)
        return PublishedCounters(self._copy, totals, as_of, dict(self._frozen))


def is_held(history: History, now: Micros) -> bool:
    """Return whether a pipeline's counters must still be shown at 0."""
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
