"""The display: what is shown of what was counted, so that nobody who reads a counter misses its growth.

A new counter stands still until everybody who scrapes has read it once (`history.holding`), and the time in a status
stands still while it is not known whether that status still holds.
"""

from collections.abc import Hashable, Mapping
from typing import Final

import msgspec

from feldera_exporter.fleet.fleet import Shown
from feldera_exporter.history import holding
from feldera_exporter.history.history import History
from feldera_exporter.history.totals import Totals

_TOTALS: Final = "totals"


class Display:
    """What is shown of one instance; all instants are microseconds by Feldera's clock.

    Args:
        totals: what is shown of the totals at the start.

    Attributes:
        totals: what is shown of the totals.
    """

    def __init__(self, totals: Totals) -> None:
        self.totals = totals
        self._shown: dict[str, History] = {}
        self._copy: Mapping[str, History] | None = None
        # What was counted since, of those that stand still.
        self._latest: dict[str, History] = {}
        self._credited: dict[str, int] = {}
        self._frozen: set[str] = set()
        self._holding = holding.EMPTY
        self._held: frozenset[Hashable] = frozenset()
        self._new: set[Hashable] = {_TOTALS}
        self._unread: set[str] = set()
        self._told: dict[str, History | None] = {}

    def begin(self, one: str, history: History) -> None:
        """Show a pipeline for the first time: nothing counted, no time credited."""
        self._hold(one, history, history.spent.since)
        self._unread.add(one)
        self._told[one] = history

    def resume(self, one: str, history: History, credited: int, unread: History | None) -> None:
        """Show a pipeline again.

        Args:
            one: its id.
            history: what was counted.
            credited: up to when its present status was credited before.
            unread: what was shown of it, if nobody had read that yet.
        """
        if unread is None:
            self._hold(one, history, credited)
        else:
            self._hold(one, unread, unread.spent.since)
            self._latest[one] = history
            self._unread.add(one)

    def rename(self, one: str, as_of: int) -> None:
        """Let a pipeline stand still as it is: under another name it has other series."""
        self._credited.setdefault(one, as_of)
        self._new.add(one)

    def change(self, one: str, history: History) -> None:
        """Show what was counted of a pipeline, as soon as it may move."""
        if one in self._held or one in self._new:
            self._latest[one] = history
        else:
            self._show(one, history)

    def freeze(self, one: str, as_of: int) -> None:
        """Credit the present status no further: the log will tell whether it still holds."""
        self._frozen.add(one)
        self._credited.setdefault(one, as_of)

    def thaw(self, one: str) -> None:
        """Credit the present status again."""
        self._frozen.discard(one)
        self._credit(one)

    def credited(self, one: str, as_of: int) -> int:
        """Return up to when a pipeline's present status is shown, `as_of` if that moves."""
        return self._credited.get(one, as_of)

    def remove(self, one: str) -> None:
        """Show a pipeline no longer."""
        for each in (self._shown, self._latest, self._credited, self._told):
            each.pop(one, None)
        for kept in (self._frozen, self._unread):
            kept.discard(one)
        self._new.discard(one)
        self._copy = None

    def release(self, now: float, totals: Totals) -> None:
        """Let move what may move at a time, in seconds of a monotonic clock."""
        self._holding, freed = holding.release(self._holding, now)
        if freed:
            self._held = self._holding.holds()
        for one in freed - self._held - self._new:
            if isinstance(one, str) and one in self._shown:
                if one in self._latest:
                    self._show(one, self._latest.pop(one))
                if one in self._unread:
                    self._unread.remove(one)
                    self._told[one] = None
                self._credit(one)
        self.totals = self._totals_to_show(totals)

    def told(self) -> Mapping[str, History | None]:
        """Return what nobody has read yet as it is shown, and None for what was read since the last call."""
        told, self._told = self._told, {}
        return told

    def shown(self, as_of: int) -> Shown:
        """Return what is shown, where present statuses are credited up to an instant."""
        if self._copy is None:
            self._copy = dict(self._shown)
        return Shown(self._copy, self.totals, as_of, dict(self._credited))

    def published(self, sequence: int, now: float) -> None:
        """Note that what is shown is in the snapshot of that number, from a time of a monotonic clock on."""
        if self._new:
            self._holding = holding.publish(self._holding, self._new, sequence, now)
            self._held = self._holding.holds()
            self._new = set()

    def was_read(self, scraper: str, sequence: int, now: float) -> None:
        """Note that a scraper has read a snapshot to its end."""
        self._holding = holding.read(self._holding, scraper, sequence, now)

    def _hold(self, one: str, history: History, credited: int) -> None:
        self._show(one, history)
        self._credited[one] = credited
        self._new.add(one)

    def _show(self, one: str, history: History) -> None:
        self._shown[one] = history
        self._copy = None

    def _credit(self, one: str) -> None:
        if one not in self._frozen and one not in self._held and one not in self._new:
            self._credited.pop(one, None)

    def _totals_to_show(self, totals: Totals) -> Totals:
        """Return the totals with what nobody has read yet at its first value."""
        old = self.totals
        self._new |= {(_TOTALS, code) for code in totals.errors.keys() - old.errors.keys()}
        held = self._held | self._new
        errors = {
            code: old.errors.get(code, 0) if _TOTALS in held or (_TOTALS, code) in held else count
            for code, count in totals.errors.items()
        }
        shown = msgspec.structs.replace(old if _TOTALS in held else totals, errors=errors)
        return totals if shown == totals else shown
