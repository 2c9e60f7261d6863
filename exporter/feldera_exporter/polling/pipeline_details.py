"""Requests what a pipeline's page shows beyond the list: few at once, not for long, and not twice within seconds."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

import msgspec

from feldera_exporter.feldera import event_log
from feldera_exporter.feldera.client import EVENT, EVENTS, PIPELINE, PROGRAM, Client, Endpoint
from feldera_exporter.feldera.errors import FelderaError, NotFoundError, UnsupportedError
from feldera_exporter.feldera.json_decoding import decoded
from feldera_exporter.feldera.program_details import ProgramDetails
from feldera_exporter.feldera.wire import Event, FullEvent
from feldera_exporter.pages.latest_events import LatestEvents

MAX_REQUESTS: Final = 2
"""Concurrent requests: Feldera holds its database's lock for each, and polls come first."""
TIMEOUT: Final = 2.5
"""Seconds that a page waits for Feldera."""
MAX_AGE: Final = 5.0
"""Seconds after its request for which an answer is reused."""

_FULL: Final = msgspec.json.Decoder(FullEvent)
_PROGRAM: Final = msgspec.json.Decoder(ProgramDetails)

_Key = tuple[str, str, str]
"""An instance's name, a pipeline's id and what is requested."""
_Answer = TypeVar("_Answer")


class PipelineDetails:
    """Requests details of single pipelines; `client_of` returns an instance's client, None without such an instance."""

    def __init__(self, client_of: Callable[[str], Client | None]) -> None:
        self._client_of = client_of
        self._requests = asyncio.Semaphore(MAX_REQUESTS)
        # Until when each answer is reused, in seconds of the monotonic clock, and the task that requests it.
        self._answers: dict[_Key, tuple[float, asyncio.Task[Any]]] = {}

    async def recent(self, instance: str, pipeline_id: str, name: str) -> LatestEvents:
        """Return a pipeline's latest events, or why there are none, within `TIMEOUT`.

        The name is used in the request; the id tells for which pipeline an answer can be reused.
        """
        late = LatestEvents(problem="Feldera did not answer in time", failed=True)
        return await self._recent_answer(
            (instance, pipeline_id, "events"), late, lambda: self._request_events(instance, name)
        )

    async def program(self, instance: str, pipeline_id: str, name: str, *, failed: bool) -> ProgramDetails:
        """Return a pipeline's description and its compilers' errors, empty without an answer, within `TIMEOUT`.

        Only if its program failed are the compilers' errors requested, since they come with the program's whole code.
        """
        key = instance, pipeline_id, "errors" if failed else "description"
        return await self._recent_answer(
            key,
            ProgramDetails(),
            lambda: self._request_program(instance, name, PROGRAM if failed else PIPELINE),
        )

    async def _recent_answer(
        self, key: _Key, late: _Answer, ask: Callable[[], Awaitable[_Answer]]
    ) -> _Answer:
        """Return an answer that was requested within the last seconds, else request one; `late` if that takes too long."""
        now = time.monotonic()
        # Those that are too old are forgotten, as they may be large.
        self._answers = {each: answer for each, answer in self._answers.items() if answer[0] > now}
        if key not in self._answers:
            self._answers[key] = now + MAX_AGE, asyncio.create_task(self._within_timeout(late, ask))
        # A reader who goes away does not end the request of the others.
        answer: _Answer = await asyncio.shield(self._answers[key][1])
        return answer

    async def _within_timeout(self, late: _Answer, ask: Callable[[], Awaitable[_Answer]]) -> _Answer:
        try:
            async with asyncio.timeout(TIMEOUT), self._requests:
                return await ask()
        except TimeoutError:
            return late

    async def _request_program(self, instance: str, name: str, endpoint: Endpoint) -> ProgramDetails:
        client = self._client_of(instance)
        if client is None:
            return ProgramDetails()
        try:
            return decoded(_PROGRAM, (await client.get(endpoint, name, within=TIMEOUT)).body)
        except FelderaError:
            # The result of the request for events says why.
            return ProgramDetails()

    async def _request_events(self, instance: str, name: str) -> LatestEvents:
        client = self._client_of(instance)
        if client is None:
            return LatestEvents(problem="the configuration no longer has this instance")
        events: Sequence[Event] | None = None
        try:
            events = event_log.read((await client.get(EVENTS, name, within=TIMEOUT)).body)
            if not events:
                return LatestEvents(events)
            newest = decoded(_FULL, (await client.get(EVENT, name, events[0].event_id, within=TIMEOUT)).body)
            return LatestEvents(events, newest)
        except UnsupportedError:
            return LatestEvents(events, problem="this Feldera has no event log; v0.292 and later have one")
        except NotFoundError:
            return LatestEvents(events, problem="Feldera no longer has this pipeline under this name")
        except FelderaError as error:
            return LatestEvents(events, problem=str(error), failed=True)
