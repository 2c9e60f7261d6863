"""Reads the event logs of an instance's pipelines, a few at a time and until the poll's time is up, into the ledger."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Final, TypeVar

from feldera_exporter.feldera import event_log
from feldera_exporter.feldera.client import EVENT, EVENTS, Client
from feldera_exporter.feldera.errors import INTERNAL_ERROR, FelderaError, NotFoundError, UnsupportedError
from feldera_exporter.feldera.event_log import EventLog, UnreadableEvent
from feldera_exporter.feldera.platform import Platform
from feldera_exporter.history.answer_evaluation import UNKNOWN_CODE
from feldera_exporter.ledger import Ledger
from feldera_exporter.logs import FailureLog, Logger, source_location
from feldera_exporter.polling.run_in_thread import run_cpu

MAX_REQUESTS: Final = 4
"""Concurrent requests for events: Feldera's handler holds the manager's database lock."""

MOST_FAILURES: Final = 3
"""In how many polls in a row the code of an error may fail to be read, until it is counted as unknown."""

_LONG_LOG: Final = 100
"""Events from which on a log is folded in a thread: that may take many milliseconds."""
_LONG_BODY: Final = 64 * 1024
"""Bytes from which on a body is decoded in a thread: to find what the decoder refuses takes many times longer."""

_Result = TypeVar("_Result")

_Step = Callable[[], Awaitable[bool]]
"""A step for one pipeline; returns whether the ledger accepted a log."""


class EventLogReader:
    """Reads the events of an instance's pipelines.

    Args:
        timeout: seconds that one request may take.
        log: with the instance's name.

    Attributes:
        supported: whether the server has an event log, as far as known; servers before v0.292 have none.
    """

    def __init__(self, client: Client, ledger: Ledger, timeout: float, log: Logger) -> None:
        self.supported = True
        # By the version; None while that is unknown.
        self._has_log: bool | None = None
        self._client = client
        self._ledger = ledger
        self._timeout = timeout
        self._failures = FailureLog(log, "events cannot be read", "events can be read again")
        self._unreadable = FailureLog(
            log,
            "events cannot be decoded: they are left out, and a gap is counted",
            "no further event had to be left out",
        )
        self._left_out = False
        # The failure is over only when each of these logs was read: another pipeline's success does not end it.
        self._failed_pipelines: set[str] = set()
        # Error codes by pipeline id and event id, until all codes of a log are known.
        self._codes: dict[str, dict[str, str]] = {}
        # In how many polls in a row a code could not be read, by pipeline id.
        self._code_failures = Counter[str]()

    def set_platform(self, platform: Platform) -> None:
        """Take into account another version of the server, which may have been upgraded.

        If the version has the event log, or is unknown and events were read before, a 404 comes from a proxy and is only a
        failed request.
        """
        self._has_log = platform.has_event_log
        self.supported = True

    async def read(self, to_read: Iterable[str], deadline: float) -> bool:
        """Read the logs of some pipelines and return whether the ledger accepted any.

        A log that cannot be read stays pending in the ledger, and so does one that is not reached before the deadline, an
        instant of the monotonic clock. A few are read at any rate, so that a slow server is caught up with too.
        """
        pending = self._ledger.pending
        self._codes = {
            pipeline_id: codes for pipeline_id, codes in self._codes.items() if pipeline_id in pending
        }
        for pipeline_id in self._code_failures.keys() - pending.keys():
            del self._code_failures[pipeline_id]
        self._left_out = False
        confirmed = self._ledger.confirmed_answers()
        answers = iter(confirmed.items())
        accepted = await self._take_steps(
            (
                (pipeline_id, partial(self._accept, pipeline_id, log, deadline, confirmed=True))
                for pipeline_id, log in answers
            ),
            deadline,
        )
        # They need not be read again.
        waiting = dict(answers)
        for pipeline_id, log in waiting.items():
            self._ledger.defer(pipeline_id, log)
        # A pipeline whose row has changed since such an answer is read again at once.
        again = [each for each in confirmed if each in self._ledger.pending and each not in waiting]
        accepted |= await self._take_steps(
            (
                (pipeline_id, partial(self._request, pipeline_id, deadline))
                for pipeline_id in (*to_read, *again)
            ),
            deadline,
        )
        self._failed_pipelines &= self._ledger.pending.keys()
        if not self._failed_pipelines:
            self._failures.succeeded()
        if not self._left_out:
            self._unreadable.succeeded()
        return accepted

    async def _take_steps(self, steps: Iterator[tuple[str, _Step]], deadline: float) -> bool:
        """Take pipelines' steps, a few at once, until all are taken or the time is up; return whether the ledger accepted any."""

        async def work() -> bool:
            accepted = False
            while self.supported and (following := next(steps, None)) is not None:
                accepted |= await self._attempt(*following)
                if time.monotonic() >= deadline:
                    break
            return accepted

        return any(await asyncio.gather(*(work() for _ in range(MAX_REQUESTS))))

    async def _attempt(self, pipeline_id: str, step: _Step) -> bool:
        """Do one pipeline's step; an error is logged and stops no other pipeline's."""
        self._failed_pipelines.discard(pipeline_id)
        try:
            return await step()
        except UnsupportedError as error:
            # Counted from rows, what is in the log would be counted again once that can be read.
            if self._has_log or (self._has_log is None and self._ledger.has_read_events()):
                self._fail(pipeline_id, error.outcome, error)
            else:
                self.supported = False
        except NotFoundError:
            # Deleted or renamed since the list: the next list shows which.
            pass
        except FelderaError as error:
            self._fail(pipeline_id, error.outcome, error)
        except Exception as error:  # noqa: BLE001 - a bug must cost this pipeline's events only
            self._fail(pipeline_id, INTERNAL_ERROR, type(error).__name__, source=source_location(error))
        return False

    def _fail(self, pipeline_id: str, kind: str, error: object, **fields: object) -> None:
        self._failed_pipelines.add(pipeline_id)
        self._failures.failed(kind, error, pipeline_name=self._ledger.name(pipeline_id), **fields)

    async def _request(self, pipeline_id: str, deadline: float) -> bool:
        self._ledger.requeue(pipeline_id)
        answer = await self._client.get(EVENTS, self._ledger.name(pipeline_id), within=self._timeout)
        log = await _decoded(event_log.read, answer.body)
        return await self._accept(pipeline_id, log, deadline, confirmed=False)

    async def _accept(self, pipeline_id: str, log: EventLog, deadline: float, *, confirmed: bool) -> bool:
        """Let the ledger count a log, if it is certainly this pipeline's; return whether it did.

        Args:
            pipeline_id: whose log it is.
            log: the whole log.
            deadline: until when error codes are asked for, by the monotonic clock.
            confirmed: whether a later list has shown that the log is this pipeline's.
        """
        if len(log.events) < _LONG_LOG:
            evaluation = self._ledger.evaluate(pipeline_id, log)
        else:
            evaluation = await run_cpu(self._ledger.evaluate, pipeline_id, log)
        if not (evaluation.proven or confirmed):
            self._ledger.defer(pipeline_id, log)
            return False
        if evaluation.unnamed:
            codes = self._codes.setdefault(pipeline_id, {})
            for event_id in evaluation.unnamed:
                if event_id not in codes:
                    if codes and time.monotonic() >= deadline:
                        # The other codes are asked for after the next poll.
                        return False
                    codes[event_id] = await self._error_code(pipeline_id, event_id)
            evaluation = evaluation.named(codes)
        self._ledger.apply(pipeline_id, evaluation)
        self._codes.pop(pipeline_id, None)
        if evaluation.left_out:
            self._report_left_out(pipeline_id, evaluation.left_out)
        return True

    def _report_left_out(self, pipeline_id: str, events: Sequence[UnreadableEvent]) -> None:
        self._left_out = True
        text = f"{len(events)}, the first is {events[0].event_id}: {events[0].reason}"
        self._unreadable.failed("unreadable", text, pipeline_name=self._ledger.name(pipeline_id))

    async def _error_code(self, pipeline_id: str, event_id: str) -> str:
        """Return the code of an error that the list no longer shows, or `UNKNOWN_CODE`.

        Raises:
            FelderaError: it could not be read, but may be in one of the next polls.
        """
        name = self._ledger.name(pipeline_id)
        try:
            answer = await self._client.get(EVENT, name, event_id, within=self._timeout)
            code = await _decoded(event_log.error_code, answer.body)
        except NotFoundError as error:
            if "UnknownPipelineName" in str(error):
                raise
            return UNKNOWN_CODE
        except FelderaError:
            # Without the code, all else that the log adds would not be counted either.
            self._code_failures[pipeline_id] += 1
            if self._code_failures[pipeline_id] < MOST_FAILURES:
                raise
            return UNKNOWN_CODE
        del self._code_failures[pipeline_id]
        return UNKNOWN_CODE if code is None else code


async def _decoded(decode: Callable[[bytearray], _Result], body: bytearray) -> _Result:
    return decode(body) if len(body) < _LONG_BODY else await run_cpu(decode, body)
