"""The counters as they are exported, so that Prometheus misses no increase.

New counters stay at 0 at first (`history.first_sample_hold`), and the time in a status stands still while it is not known
whether that status still holds. All instants are by Feldera's clock.
"""

from collections.abc import Mapping

import msgspec

from feldera_exporter.history import first_sample_hold
from feldera_exporter.history.history import History
from feldera_exporter.history.instance_totals import InstanceTotals
from feldera_exporter.micros import Micros
from feldera_exporter.state.fleet import PublishedCounters


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
        if first_sample_hold.is_held(history, now):
            self._held.add(pipeline_id)
            history = first_sample_hold.at_zero(history)
        self._exported[pipeline_id] = history
        self._copy = None

    def release(self, histories: Mapping[str, History], now: Micros) -> None:
        """Export the counters of the pipelines whose hold has ended."""
        held, self._held = self._held, set()
        for pipeline_id in held:
            if first_sample_hold.is_held(histories[pipeline_id], now):
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
        """Return the exported counters.

        Args:
            totals: the counters over all pipelines.
            as_of: up to when present statuses are credited.
            now: the instant of the last list.
        """
        if self._copy is None:
            self._copy = dict(self._exported)
        errors = {
            code: 0 if now < self._codes.setdefault(code, now + first_sample_hold.HOLD) else count
            for code, count in totals.errors.items()
        }
        if errors != totals.errors:
            totals = msgspec.structs.replace(totals, errors=errors)
        return PublishedCounters(self._copy, totals, as_of, dict(self._frozen))
