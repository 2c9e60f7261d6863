"""Faults of HTTP responses, which a test sets for a route."""

from dataclasses import dataclass
from typing import Final

from feldera_exporter.simulator.http_messages import HttpAnswer, empty, json

EVERY: Final = "*"
"""Stands for every route of an instance."""


@dataclass(frozen=True, slots=True)
class Slow:
    """The response comes after some seconds of real time."""

    seconds: float


Fault = Slow | HttpAnswer
"""What goes wrong: the response comes late, or it is this one."""

EMPTY_404: Final = empty(404)
"""A server that does not know the route."""


def _error(status: int, code: str, message: str) -> HttpAnswer:
    return json({"message": message, "error_code": code, "details": {}}, status)


SERVER_ERROR: Final = _error(500, "InternalError", "An error of the database.")
UNAVAILABLE: Final = _error(503, "LockTookTooLong", "The lock could not be had.")


class Faults:
    """The faults of one server by route; `EVERY` applies to routes without a fault."""

    def __init__(self) -> None:
        self._faults: dict[str, tuple[Fault, int | None]] = {}

    def set(self, route: str, fault: Fault, times: int | None = None) -> None:
        """Let a route misbehave: for so many requests, or with None until it is cleared."""
        self._faults[route] = fault, times

    def clear(self, route: str | None = None) -> None:
        """Let a route, or all, behave again."""
        if route is None:
            self._faults.clear()
        else:
            self._faults.pop(route, None)

    def take(self, route: str) -> Fault | None:
        """Return how a route misbehaves this time."""
        key = route if route in self._faults else EVERY
        fault, times = self._faults.get(key, (None, None))
        if times == 1:
            del self._faults[key]
        elif fault is not None and times is not None:
            self._faults[key] = fault, times - 1
        return fault
