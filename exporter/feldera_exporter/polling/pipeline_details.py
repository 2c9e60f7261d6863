"""The looking up: what a pipeline's page asks Feldera for, a few at once, not for long, and not twice within seconds."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import msgspec

from feldera_exporter.feldera.client import EVENT, EVENTS, PIPELINE, PROGRAM, Client, Endpoint
from feldera_exporter.feldera.errors import FelderaError, NotFoundError, UnsupportedError
from feldera_exporter.feldera.json_decoding import decoded
from feldera_exporter.feldera.program_details import ProgramDetails
from feldera_exporter.feldera.wire import Event, FullEvent
from feldera_exporter.pages.latest_events import LatestEvents

AT_ONCE: Final = 2
"""Look-ups at once at most: Feldera holds its database's lock for each, and the polls come first."""
PATIENCE: Final = 2.5
"""Seconds that a page waits for Feldera."""
FRESH: Final = 5.0
"""Seconds for which an answer is shown again."""

_EVENTS: Final[msgspec.json.Decoder[list[Event]]] = msgspec.json.Decoder(list[Event])
_FULL: Final = msgspec.json.Decoder(FullEvent)
_PROGRAM: Final = msgspec.json.Decoder(ProgramDetails)
_LATE: Final = "Feldera did not answer in time"


_Key = tuple[str, str, str]
"""An instance's name, a pipeline's id and what is asked of it."""
_Kept = TypeVar("_Kept")


class PipelineDetails:
    """Asks Feldera about single pipelines.

    Args:
        client_of: gives the client of an instance, None where there is no such instance.
    """

    def __init__(self, client_of: Callable[[str], Client | None]) -> None:
        self._client_of = client_of
        self._free = asyncio.Semaphore(AT_ONCE)
        self._kept: dict[_Key, tuple[float, Any]] = {}
        self._asking: dict[_Key, asyncio.Lock] = {}

    async def recent(self, instance: str, id_: str, name: str) -> LatestEvents:
        """Return what Feldera says of a pipeline, or why it does not; it takes `PATIENCE` at most.

        Args:
            instance: the instance's name.
            id_: the pipeline's id, by which answers are kept.
            name: the pipeline's name, by which Feldera is asked.
        """
        late = LatestEvents(problem=_LATE)
        return await self._kept_answer((instance, id_, "events"), late, lambda: self._ask(instance, name))

    async def program(self, instance: str, id_: str, name: str, *, failed: bool) -> ProgramDetails:
        """Return what else Feldera says of a pipeline, empty where it says nothing; it takes `PATIENCE` at most.

        Args:
            instance: the instance's name.
            id_: the pipeline's id, by which answers are kept.
            name: the pipeline's name, by which Feldera is asked.
            failed: whether its program does not compile: only then are the compilers' errors, which come with all of
                the program's code, asked for.
        """
        key = instance, id_, "errors" if failed else "description"
        return await self._kept_answer(
            key, ProgramDetails(), lambda: self._ask_program(instance, name, PROGRAM if failed else PIPELINE)
        )

    async def _kept_answer(self, key: _Key, late: _Kept, ask: Callable[[], Awaitable[_Kept]]) -> _Kept:
        """Return an answer of a few seconds ago, else ask; what comes too late is `late`."""
        lock = self._asking.setdefault(key, asyncio.Lock())
        try:
            async with asyncio.timeout(PATIENCE), lock:
                found = self._kept.get(key)
                if found is not None and found[0] > time.monotonic():
                    kept: _Kept = found[1]
                    return kept
                async with self._free:
                    answer = await ask()
        except TimeoutError:
            answer = late
        finally:
            if not lock.locked():
                self._asking.pop(key, None)
        self._keep(key, answer)
        return answer

    async def _ask_program(self, instance: str, name: str, endpoint: Endpoint) -> ProgramDetails:
        client = self._client_of(instance)
        if client is None:
            return ProgramDetails()
        try:
            return decoded(_PROGRAM, (await client.get(endpoint, name, within=PATIENCE)).body)
        except FelderaError:
            # The request for the event log says why.
            return ProgramDetails()

    async def _ask(self, instance: str, name: str) -> LatestEvents:
        client = self._client_of(instance)
        if client is None:
            return LatestEvents(problem="the configuration no longer has this instance")
        events: list[Event] | None = None
        try:
            events = decoded(_EVENTS, (await client.get(EVENTS, name, within=PATIENCE)).body)
            if not events:
                return LatestEvents(events)
            newest = (await client.get(EVENT, name, events[0].event_id, within=PATIENCE)).body
            return LatestEvents(events, decoded(_FULL, newest))
        except UnsupportedError:
            return LatestEvents(events, problem="this Feldera has no event log; v0.292 and later have one")
        except NotFoundError:
            return LatestEvents(events, problem="Feldera no longer has this pipeline under this name")
        except FelderaError as error:
            return LatestEvents(events, problem=str(error))

    def _keep(self, key: _Key, answer: object) -> None:
        """Keep an answer, and forget those that are too old to be shown again: they may be large."""
        now = time.monotonic()
        self._kept = {each: kept for each, kept in self._kept.items() if kept[0] > now}
        self._kept[key] = now + FRESH, answer
