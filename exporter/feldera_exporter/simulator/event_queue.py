"""What is due when: the queue of a discrete-event simulation."""

from collections.abc import Callable
from contextlib import suppress
from heapq import heappop, heappush
from typing import Any

from feldera_exporter.simulator.api_errors import ApiError


class EventQueue:
    """Runs actions at their own instants, in order; those of one instant in the order they were put down.

    Whoever puts an action down is gone when it runs: where Feldera refuses it, nobody is there to be told, least of all
    the one whose request let time pass.

    Attributes:
        now: the instant of the action that is running, else the instant last reached.
    """

    def __init__(self, start: int) -> None:
        self.now = start
        self._count = 0
        self._running = False
        self._due: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []

    def at(self, instant: int, action: Callable[..., None], *arguments: Any) -> None:
        """Put down an action; one that lies in the past is due at once."""
        self._count += 1
        heappush(self._due, (max(instant, self.now), self._count, action, arguments))

    def run(self, until: int) -> None:
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
