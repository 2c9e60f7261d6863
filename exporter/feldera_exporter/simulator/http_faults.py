"""Faults of HTTP responses, which a test sets for a route."""

import asyncio
from dataclasses import dataclass, replace
from typing import Final

from feldera_exporter.simulator.http_messages import HTML, JSON, TEXT, Answer, encode

EVERY: Final = "*"
"""Stands for every route of an instance."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong; this one: nothing."""

    async def delay(self) -> None:
        """Wait before answering; cancelled when the client goes away."""

    def spoil(self, answer: Answer) -> Answer:
        """Return what is sent instead of an answer."""
        return answer


@dataclass(frozen=True, slots=True)
class Slow(Fault):
    """The response comes after some seconds of real time."""

    seconds: float

    async def delay(self) -> None:
        """Wait."""
        await asyncio.sleep(self.seconds)


@dataclass(frozen=True, slots=True)
class Hanging(Fault):
    """The answer never comes; the request ends when the client or the server gives up."""

    async def delay(self) -> None:
        """Wait without end."""
        await asyncio.Event().wait()


@dataclass(frozen=True, slots=True)
class Dropped(Fault):
    """The connection is cut instead of an answer, as when a kept-alive one has just expired."""

    def spoil(self, answer: Answer) -> Answer:
        """Ask the server to cut the connection."""
        return replace(answer, cut=True)


@dataclass(frozen=True, slots=True)
class Status(Fault):
    """Another status, body and type than expected."""

    status: int
    body: bytes = b""
    content_type: str = TEXT
    headers: tuple[tuple[str, str], ...] = ()

    def spoil(self, answer: Answer) -> Answer:
        """Replace the answer."""
        return replace(
            answer,
            status=self.status,
            body=self.body,
            content_type=self.content_type if self.body else "",
            headers=dict(self.headers),
            packed=None,
        )


@dataclass(frozen=True, slots=True)
class Together(Fault):
    """Several faults at once, applied in their order."""

    faults: tuple[Fault, ...]

    async def delay(self) -> None:
        """Wait for each."""
        for fault in self.faults:
            await fault.delay()

    def spoil(self, answer: Answer) -> Answer:
        """Apply each."""
        for fault in self.faults:
            answer = fault.spoil(answer)
        return answer


def _error(code: str, message: str) -> bytes:
    return encode({"message": message, "error_code": code, "details": {}})


HTML_PAGE: Final = Status(200, b"<!doctype html><html><body>Sign in</body></html>", HTML)
"""What a wrong base URL or a proxy's login page answers."""

EMPTY_404: Final = Status(404)
"""A server that does not know the route."""

SERVER_ERROR: Final = Status(500, _error("InternalError", "An error of the database."), JSON)
BAD_GATEWAY: Final = Status(502, b"<html><h1>502 Bad Gateway</h1></html>", HTML)
UNAVAILABLE: Final = Status(503, _error("LockTookTooLong", "The lock could not be had."), JSON)
UNAVAILABLE_RETRY: Final = Status(503, UNAVAILABLE.body, JSON, (("retry-after", "5"),))
UNAUTHORIZED: Final = Status(
    401, encode({"message": "Unauthorized API key", "error_code": "AuthenticationFailed"})
)
"""A wrong API key, and just as well an outage of the database."""

FORBIDDEN: Final = Status(403, _error("InsufficientPermissions", "The role is too low."), JSON)
REDIRECT: Final = Status(302, b"", headers=(("location", "/login"),))


@dataclass(slots=True)
class _Set:
    fault: Fault
    times: int | None


class Faults:
    """The faults of one server by route; `EVERY` applies to routes without a fault."""

    def __init__(self) -> None:
        self._faults: dict[str, _Set] = {}

    def set(self, route: str, fault: Fault, times: int | None = None) -> None:
        """Let a route misbehave: for so many requests, or with None until it is cleared."""
        self._faults[route] = _Set(fault, times)

    def clear(self, route: str | None = None) -> None:
        """Let a route, or all, behave again."""
        if route is None:
            self._faults.clear()
        else:
            self._faults.pop(route, None)

    def take(self, route: str) -> Fault | None:
        """Return how a route misbehaves this time."""
        for key in (route, EVERY):
            kept = self._faults.get(key)
            if kept is not None:
                if kept.times is not None:
                    kept.times -= 1
                    if kept.times <= 0:
                        del self._faults[key]
                return kept.fault
        return None
