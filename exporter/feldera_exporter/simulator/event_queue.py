"""The event queue of a discrete-event simulation."""

from collections.abc import Callable
from contextlib import suppress
from heapq import heappop, heappush
from typing import Any

from feldera_exporter.micros import Micros
from feldera_exporter.simulator.api_errors import ApiError


class EventQueue:
    """Runs actions at their instants, in order; actions of the same instant in the order in which they were added.

    If Feldera refuses an action, its error is dropped: the caller that added the action has already returned.

    Attributes:
        now: the instant of the action that is running, else the instant last reached.
    """

    def __init__(self, start: int) -> None:
        self.now = start
        self._count = 0
        self._running = False
        self._due: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []

    def at(self, instant: Micros, action: Callable[..., None], *arguments: Any) -> None:
        """Add an action; one whose instant has passed is due at once."""
        self._count += 1
        heappush(self._due, (max(instant, self.now), self._count, action, arguments))

    def run(self, until: Micros) -> None:
        """Run everything that is due up to and including an instant; from within an action, nothing."""
        if self._running:
            return
        due = self._due
        self._running = True
        try:
            while due and due[0][0] <= until:
                self.now, _, action, arguments = heappop(due)
                with suppress(ApiError):
                    action(*arguments)
        finally:
            self._running = False
        self.now = max(self.now, until)
