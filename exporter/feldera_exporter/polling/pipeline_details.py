"""The looking up: what a pipeline's page asks Feldera for, a few at once, not for long, and not twice within seconds."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import msgspec

from feldera_exporter.feldera.client import EVENT, EVENTS, Client
from feldera_exporter.feldera.errors import FelderaError, NotFoundError, UnsupportedError
from feldera_exporter.feldera.json_decoding import decoded
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
_LATE: Final = "Feldera did not answer in time"


class PipelineDetails:
    """Asks Feldera about single pipelines.

    Args:
        client_of: gives the client of an instance, None where there is no such instance.
    """

    def __init__(self, client_of: Callable[[str], Client | None]) -> None:
        self._client_of = client_of
        self._free = asyncio.Semaphore(AT_ONCE)
        self._kept: dict[tuple[str, str], tuple[float, LatestEvents]] = {}
        self._asking: dict[tuple[str, str], asyncio.Lock] = {}

    async def recent(self, instance: str, id_: str, name: str) -> LatestEvents:
        """Return what Feldera says of a pipeline, or why it does not; it takes `PATIENCE` at most.

        Args:
            instance: the instance's name.
            id_: the pipeline's id, by which answers are kept.
            name: the pipeline's name, by which Feldera is asked.
        """
        key = instance, id_
        lock = self._asking.setdefault(key, asyncio.Lock())
        try:
            async with asyncio.timeout(PATIENCE), lock:
                found = self._kept.get(key)
                if found is not None and found[0] > time.monotonic():
                    return found[1]
                async with self._free:
                    answer = await self._ask(instance, name)
        except TimeoutError:
            answer = LatestEvents(problem=_LATE)
        finally:
            if not lock.locked():
                self._asking.pop(key, None)
        self._keep(key, answer)
        return answer

    async def _ask(self, instance: str, name: str) -> LatestEvents:
        client = self._client_of(instance)
        if client is None:
            return LatestEvents(problem="this instance is watched no more")
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

    def _keep(self, key: tuple[str, str], answer: LatestEvents) -> None:
        """Keep an answer, and forget those that are too old to be shown again: they may be large."""
        now = time.monotonic()
        self._kept = {each: kept for each, kept in self._kept.items() if kept[0] > now}
        self._kept[key] = now + FRESH, answer
