"""Reads the event logs of an instance's pipelines, a few at a time and until the poll's time is up, into the ledger."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Final

from feldera_exporter.feldera import event_log
from feldera_exporter.feldera.client import EVENT, EVENTS, Client
from feldera_exporter.feldera.errors import (
    INTERNAL_ERROR,
    FelderaError,
    InvalidResponseError,
    NotFoundError,
    TooLargeError,
    UnsupportedError,
)
from feldera_exporter.feldera.platform import Platform
from feldera_exporter.feldera.wire import Event
from feldera_exporter.history.answer_evaluation import UNKNOWN_CODE
from feldera_exporter.ledger import Ledger
from feldera_exporter.logs import FailureLog, Logger, source_location
from feldera_exporter.polling.run_in_thread import run_cpu

MAX_REQUESTS: Final = 4
"""Concurrent requests for events: Feldera's handler holds the manager's database lock."""

MOST_FAILURES: Final = 3
"""How often in a row the codes of a pipeline's errors may fail to be read, until one is counted as unknown."""

_LONG_LOG: Final = 100
"""Events from which on a log is folded in a thread: that may take many milliseconds."""
_LONG_BODY: Final = 64 * 1024
"""Bytes from which on an error's event is decoded in a thread: its error may have megabytes."""

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
        # The failure is over only when each of these logs was read: another pipeline's success does not end it.
        self._failed_pipelines: set[str] = set()
        # Error codes by pipeline id and event id, until all codes of a log are known.
        self._codes: dict[str, dict[str, str]] = {}
        # How often in a row the code of an error could not be read, by pipeline id.
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
        for pipeline_id in (self._codes.keys() | self._code_failures) - self._ledger.pending.keys():
            self._codes.pop(pipeline_id, None)
            del self._code_failures[pipeline_id]
        confirmed = (
            (pipeline_id, partial(self._confirm, pipeline_id, log, deadline))
            for pipeline_id, log in self._ledger.confirmed_answers()
        )
        requests = ((pipeline_id, partial(self._request, pipeline_id, deadline)) for pipeline_id in to_read)
        accepted = await self._take_steps(chain(confirmed, requests), deadline)
        self._failed_pipelines &= self._ledger.pending.keys()
        if not self._failed_pipelines:
            self._failures.succeeded()
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

    async def _confirm(self, pipeline_id: str, log: Sequence[Event], deadline: float) -> bool:
        """Let the ledger count a log that a later list has confirmed; if the row has changed since, read it again at once."""
        accepted = await self._accept(pipeline_id, log, deadline, confirmed=True)
        if accepted and pipeline_id in self._ledger.pending:
            await self._request(pipeline_id, deadline)
        return accepted

    async def _request(self, pipeline_id: str, deadline: float) -> bool:
        self._ledger.requeue(pipeline_id)
        answer = await self._client.get(EVENTS, self._ledger.name(pipeline_id), within=self._timeout)
        return await self._accept(pipeline_id, event_log.read(answer.body), deadline, confirmed=False)

    async def _accept(
        self, pipeline_id: str, log: Sequence[Event], deadline: float, *, confirmed: bool
    ) -> bool:
        """Let the ledger count a log, if it is certainly this pipeline's; return whether it did.

        Args:
            pipeline_id: whose log it is.
            log: the whole log.
            deadline: until when error codes are asked for, by the monotonic clock; one is at any rate.
            confirmed: whether a later list has shown that the log is this pipeline's.
        """
        if len(log) < _LONG_LOG:
            evaluation = self._ledger.evaluate(pipeline_id, log)
        else:
            evaluation = await run_cpu(self._ledger.evaluate, pipeline_id, log)
        if not (evaluation.proven or confirmed):
            self._ledger.defer(pipeline_id, log)
            return False
        if evaluation.unnamed:
            codes = self._codes.setdefault(pipeline_id, {})
            for asked, event_id in enumerate([each for each in evaluation.unnamed if each not in codes]):
                if asked and time.monotonic() >= deadline:
                    # The other codes are asked for after the next list, without reading the log again.
                    self._ledger.defer(pipeline_id, log)
                    return False
                codes[event_id] = await self._error_code(pipeline_id, event_id)
            evaluation = evaluation.named(codes)
        self._ledger.apply(pipeline_id, evaluation)
        self._codes.pop(pipeline_id, None)
        return True

    async def _error_code(self, pipeline_id: str, event_id: str) -> str:
        """Return the code of an error that the list no longer shows, or `UNKNOWN_CODE`.

        Raises:
            FelderaError: the request failed: the log stays pending, and the code is asked for again.
        """
        name = self._ledger.name(pipeline_id)
        try:
            answer = await self._client.get(EVENT, name, event_id, within=self._timeout)
            if len(answer.body) < _LONG_BODY:
                code = event_log.error_code(answer.body)
            else:
                code = await run_cpu(event_log.error_code, answer.body)
        except NotFoundError as error:
            if "UnknownPipelineName" in str(error):
                raise
            return UNKNOWN_CODE
        except (InvalidResponseError, TooLargeError):
            return UNKNOWN_CODE
        except FelderaError:
            # Without the code, all else that the log adds would not be counted either.
            self._code_failures[pipeline_id] += 1
            if self._code_failures[pipeline_id] < MOST_FAILURES:
                raise
            return UNKNOWN_CODE
        del self._code_failures[pipeline_id]
        return UNKNOWN_CODE if code is None else code
