"""The reader of event logs: a few at a time, until the poll's time is up, and into the ledger."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Final

import msgspec

from feldera_exporter.feldera.client import EVENT, EVENTS, Client
from feldera_exporter.feldera.errors import INTERNAL_ERROR, FelderaError, NotFoundError, UnsupportedError
from feldera_exporter.feldera.json_decoding import decoded
from feldera_exporter.feldera.wire import Event
from feldera_exporter.history.evaluation import UNKNOWN_CODE
from feldera_exporter.ledger import Ledger
from feldera_exporter.logs import FailureLog, Logger, source_location

IN_FLIGHT: Final = 4
"""Event requests at once at most: Feldera's handler holds the manager's database lock."""

SINCE: Final = (0, 292)
"""The version of Feldera that brought the event log."""

_VERSION: Final = re.compile(r"(\d+)\.(\d+)")
_EVENTS: Final[msgspec.json.Decoder[list[Event]]] = msgspec.json.Decoder(list[Event])
_EVENT: Final = msgspec.json.Decoder(Event)


class EventLogReader:
    """Reads the events of an instance's pipelines.

    Args:
        client: asks the instance.
        ledger: takes what was read.
        timeout: seconds that one request may take.
        log: with the instance's name.

    Attributes:
        supported: whether the server has an event log, as far as known; old ones have none.
    """

    def __init__(self, client: Client, ledger: Ledger, timeout: float, log: Logger) -> None:
        self.supported = True
        self._certain = False
        self._client = client
        self._ledger = ledger
        self._timeout = timeout
        self._failing = FailureLog(log, "events cannot be read", "events can be read again")
        # Whose last reading failed: one pipeline's success says nothing of another's log.
        self._unread: set[str] = set()
        # The codes asked for by pipeline and event, until the pipeline's answer is complete.
        self._codes: dict[str, dict[str, str]] = {}

    def learn(self, version: str | None) -> None:
        """Take in which version the server is: an old one may have been upgraded.

        A version that has the log is believed, whatever a proxy in between answers; one that cannot be read is not.
        """
        found = _VERSION.match(version or "")
        self._certain = found is not None and (int(found[1]), int(found[2])) >= SINCE
        self.supported = True

    async def read(self, to_read: Iterable[str], deadline: float) -> bool:
        """Read the logs of these pipelines and return whether the ledger took anything in.

        What cannot be read stays pending in the ledger; so does what is not reached before the deadline (of the
        monotonic clock), but for the first few, so that a slow server is caught up with too.
        """
        pending = self._ledger.pending
        self._codes = {one: codes for one, codes in self._codes.items() if one in pending}
        vouched = self._ledger.confirmed_answers()
        taken = [
            await self._try(one, partial(self._take, one, events, deadline, vouched=True))
            for one, events in vouched.items()
        ]
        # What has moved on since such an answer is read again at once.
        queue = iter([*to_read, *(one for one in vouched if one in self._ledger.pending)])
        counts = await asyncio.gather(*(self._work(queue, deadline) for _ in range(IN_FLIGHT)))
        self._unread &= self._ledger.pending.keys()
        if not self._unread:
            self._failing.succeeded()
        return any(taken) or any(counts)

    async def _work(self, queue: Iterator[str], deadline: float) -> bool:
        taken = False
        while self.supported and (one := next(queue, None)) is not None:
            taken |= await self._try(one, partial(self._ask, one, deadline))
            if time.monotonic() >= deadline:
                break
        return taken

    async def _try(self, one: str, step: Callable[[], Awaitable[bool]]) -> bool:
        """Do one pipeline's step; what goes wrong with it stops no other's."""
        self._unread.discard(one)
        try:
            return await step()
        except UnsupportedError as error:
            if self._certain:
                self._fail(one, error.outcome, error)
            else:
                # The watcher says so, and in a metric.
                self.supported = False
        except NotFoundError:
            # Deleted or renamed since the list: the next list tells.
            pass
        except FelderaError as error:
            self._fail(one, error.outcome, error)
        except Exception as error:  # noqa: BLE001 - a mistake of our own must cost this pipeline's events only
            self._fail(one, INTERNAL_ERROR, type(error).__name__, place=source_location(error))
        return False

    def _fail(self, one: str, kind: str, error: object, **fields: object) -> None:
        self._unread.add(one)
        self._failing.failed(kind, error, **fields)

    async def _ask(self, one: str, deadline: float) -> bool:
        self._ledger.requeue(one)
        answer = await self._client.get(EVENTS, self._ledger.name(one), within=self._timeout)
        events: list[Event] = decoded(_EVENTS, answer.body)
        return await self._take(one, events, deadline, vouched=False)

    async def _take(self, one: str, events: Sequence[Event], deadline: float, *, vouched: bool) -> bool:
        verdict = self._ledger.evaluate(one, events)
        if not (verdict.proven or vouched):
            self._ledger.defer(one, events)
            return False
        if verdict.unnamed:
            codes = self._codes.setdefault(one, {})
            for event_id in verdict.unnamed:
                if event_id not in codes:
                    if codes and time.monotonic() >= deadline:
                        # The others are asked for after the next poll; those that are known stay so.
                        return False
                    codes[event_id] = await self._code(one, event_id)
            verdict = verdict.named(codes)
        self._ledger.apply(one, verdict)
        self._codes.pop(one, None)
        return True

    async def _code(self, one: str, event_id: str) -> str:
        """Ask for the code of an error that the list no longer shows."""
        try:
            answer = await self._client.get(EVENT, self._ledger.name(one), event_id, within=self._timeout)
        except NotFoundError as error:
            if "UnknownPipelineName" in str(error):
                raise
            return UNKNOWN_CODE
        failure = decoded(_EVENT, answer.body).deployment_error
        return failure.error_code if failure is not None else UNKNOWN_CODE
