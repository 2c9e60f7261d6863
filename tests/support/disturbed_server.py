"""A simulated Feldera's server whose responses a test can disturb, and which counts its requests."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from feldera_exporter.simulator.asgi_messages import Receive, Scope, Send, read, respond
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.http_messages import HttpAnswer, empty, json
from feldera_exporter.simulator.server import FelderaServer

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


class DisturbedServer(FelderaServer):
    """An instance's server with faults.

    Attributes:
        faults: how the answers of each route misbehave; set and removed while it serves.
        requests: how many requests each route has had, by the route's name.
        in_flight: how many requests are being answered now.
        most_in_flight: the most there ever were at once.
    """

    def __init__(self, feldera: Feldera, keys: Mapping[str, str] | None = None) -> None:
        super().__init__(feldera, keys)
        self.faults = Faults()
        self.requests: Counter[str] = Counter()
        self.in_flight = 0
        self.most_in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            request = await read(scope, receive)
            name, _, _ = self._find(request)
            self.requests[name] += 1
            fault = self.faults.take(name)
            if isinstance(fault, HttpAnswer):
                await respond(request, fault, receive, send)
            elif fault is None or await _outlasts(fault.seconds, receive):
                await respond(request, self._answer(request), receive, send)
        finally:
            self.in_flight -= 1


async def _outlasts(seconds: float, receive: Receive) -> bool:
    """Wait, and return whether the client is still there afterwards."""
    try:
        async with asyncio.timeout(seconds):
            # After the request comes only that the client is gone.
            await receive()
    except TimeoutError:
        return True
    return False
