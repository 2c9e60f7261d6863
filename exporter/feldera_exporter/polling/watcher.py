"""Watches one instance: each poll reads the list, then the event logs of what changed, stores the result and publishes it."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Final, ParamSpec, TypeVar

import msgspec

from feldera_exporter.config import Instance
from feldera_exporter.errors import StoreError
from feldera_exporter.feldera.client import Client
from feldera_exporter.feldera.errors import INTERNAL_ERROR, Answer, FelderaError, InvalidResponseError
from feldera_exporter.feldera.list_batches import Batch
from feldera_exporter.feldera.pipeline_list import Listing, read
from feldera_exporter.feldera.platform import Platform
from feldera_exporter.feldera.wire import Row
from feldera_exporter.ledger import Ledger
from feldera_exporter.logs import REMINDER, FailureLog, Logger, source_location
from feldera_exporter.micros import SECOND, Micros, from_seconds
from feldera_exporter.polling.feldera_clock import FelderaClock
from feldera_exporter.polling.log_reader import EventLogReader
from feldera_exporter.polling.run_in_thread import run_cpu, run_io
from feldera_exporter.problems.evaluate import NO_PROBLEMS, InstanceWithProblems, Problems, evaluate
from feldera_exporter.problems.serialization import encoded, same
from feldera_exporter.state.fleet import Fleet, observed, unobserved, with_failure, with_settings
from feldera_exporter.state.instance_settings import InstanceSettings
from feldera_exporter.state.selection import Selection, select
from feldera_exporter.store.poll_changes import NO_NAMES, NOTHING, Names, StoredState
from feldera_exporter.store.store import Store
from feldera_exporter.telemetry import Telemetry

Publish = Callable[[InstanceWithProblems, float], None]
"""Publishes an instance, which counts as up until an instant of the monotonic clock, in seconds."""

LONG: Final = 2**20
"""Bytes of a list from which on it is processed in threads: a few hundred pipelines, all of which may have changed."""

READING_SHARE: Final = 0.8
"""The share of the poll interval after which no further event log is read: the rest is for storing and publishing."""

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class Watcher:
    """Polls one instance and publishes its state.

    Args:
        settings: how its pipelines are shown.
        store: keeps the counters across restarts, None if nothing does.
        log: with the instance's name.
        before: the watcher of the same instance before a reload, None after a start.
        problems: the stored problems, after a start.
        names: the stored names of the pipelines, after a start.

    Attributes:
        fleet: the state that is published.
        problems: the problems of the instance and its pipelines.
        stored_problems: those that the store has.
        stored_names: the names of pipelines that the store has.
        fresh_until: until when the instance counts as up, in seconds of the monotonic clock.
        polled: whether the last poll succeeded; None before the first one has ended.
    """

    def __init__(
        self,
        instance: Instance,
        settings: InstanceSettings,
        client: Client,
        ledger: Ledger,
        store: Store | None,
        publish: Publish,
        telemetry: Telemetry,
        log: Logger,
        before: "Watcher | None" = None,
        problems: Problems = NO_PROBLEMS,
        names: Names = NO_NAMES,
    ) -> None:
        self.instance = instance
        self._settings = settings
        self._client = client
        self.ledger = ledger
        self._store = store
        self._publish = publish
        self._telemetry = telemetry
        self._log = log
        self._selection = Selection()
        self._list_is_long = False
        self._requested_at = 0
        self.polled: bool | None = None
        self.fresh_until = -math.inf
        if before is None:
            self.fleet = Fleet(instance.name, counters=ledger.published(), names=names)
            self.problems = self.stored_problems = problems
            self.stored_names = names
            self.clock = FelderaClock(time.time() - time.monotonic())
        else:
            self.fleet = with_settings(before.fleet, settings)
            self.problems, self.stored_problems = before.problems, before.stored_problems
            if (before.instance.url, before.instance.pipelines) != (instance.url, instance.pipelines):
                # Other pipelines are listed now: that they are fewer is no problem.
                earlier = msgspec.structs.replace(self.problems.previous_state, sizes=())
                self.problems = replace(self.problems, previous_state=earlier)
            self.stored_names = before.stored_names
            self.clock = before.clock
            if before.instance.url == instance.url:
                self.fresh_until = before.fresh_until
        self._reader = EventLogReader(client, ledger, instance.timeout, log)
        self._reader.set_platform(self.fleet.platform)
        self._poll_failures = FailureLog(log, "poll failed", "poll succeeded again")
        self._unreadable_pipelines = FailureLog(
            log, "pipelines of the list cannot be read", "all pipelines can be read again"
        )
        self._missing_event_log = FailureLog(
            log,
            "this Feldera has no event log: transitions between polls are not counted",
            "this Feldera has an event log",
        )
        self._wrong_dates = FailureLog(
            log,
            "the Date of an answer is more than an hour from the expected time and is ignored: "
            "the clock was set, or Feldera's API servers have different clocks",
            "the Date is as expected again",
            quiet=REMINDER,
        )
        self._store_failures = FailureLog(
            log, "the store cannot be written", "the store can be written again"
        )

    def publish(self) -> None:
        """Publish what is known before the first poll."""
        self._telemetry.poll_interval.labels(self.instance.name).set(self.instance.poll_interval)
        self._publish(InstanceWithProblems(self.fleet, self.problems), self.fresh_until)

    async def poll(self) -> tuple[bool, float]:
        """Poll once and publish the result.

        Returns:
            Whether the list could be read, and for how many seconds the server asks not to be polled.
        """
        name, began, retry_after = self.instance.name, time.monotonic(), 0.0
        try:
            answer, at = await self._request_list()
            self._list_is_long = sum(len(batch.text) for batch in answer.body) >= LONG
            listing = await self._run(read, answer.body, self._selection.listing)
            await self._process(listing, at, began + READING_SHARE * self.instance.poll_interval)
        except FelderaError as error:
            outcome, retry_after = error.outcome, error.retry_after
            self._fail(outcome, str(self._client.redacted(error)))
        except Exception as error:  # noqa: BLE001 - a bug must cost this poll only
            outcome = INTERNAL_ERROR
            self._fail(outcome, type(error).__name__, source=source_location(error))
        else:
            outcome = "success"
            self._poll_failures.succeeded()
        self._telemetry.polls.labels(name, outcome).inc()
        self._telemetry.poll_duration.labels(name).observe(time.monotonic() - began)
        return outcome == "success", retry_after

    def expires_in(self) -> float:
        """Return in how many seconds the shown pipelines are to be removed if no poll succeeds; infinity if none are shown."""
        if self.polled is not False or not self.fleet.pipelines:
            return math.inf
        left = self.fleet.read_at + self._settings.staleness - self.now()
        return max(0.0, left / SECOND) + 0.001

    def expire(self) -> None:
        """Publish the state without the pipelines that are stale by now, if the last poll failed."""
        if self.polled is False:
            up = time.monotonic() < self.fresh_until
            self.fleet = unobserved(self.fleet, self._settings, self.now(), up=up)
            self._publish(InstanceWithProblems(self.fleet, self.problems), self.fresh_until)

    def now(self) -> Micros:
        """Return Feldera's present time."""
        return from_seconds(self.clock.now(time.monotonic()))

    def set_platform(self, platform: Platform) -> None:
        """Set what the instance says about itself; it is published with the next poll."""
        if platform.version != self.fleet.platform.version:
            self._log.info("Feldera's version", version=platform.version, edition=platform.edition)
            self._reader.set_platform(platform)
        self.fleet = replace(self.fleet, platform=platform)

    def _fail(self, outcome: str, text: str, **fields: str) -> None:
        """Log and publish why a poll failed."""
        self._poll_failures.failed(outcome, text, url=self.instance.url, **fields)
        self.fleet = with_failure(self.fleet, outcome, text, self.now())
        self.polled = False
        self.expire()

    async def _request_list(self) -> tuple[Answer[tuple[Batch, ...]], int]:
        """Return the list, and Feldera's time when it was requested.

        Raises:
            FelderaError: there is no list, or Feldera's time is not known.
        """
        previous, within = self._selection.listing.batches, self.instance.timeout
        answer = await self._client.list(previous, within=within)
        self._set_clock(answer)
        if self.clock.contradiction is not None and not self.clock.known:
            # Counting begins with the first poll: its time must be right.
            answer = await self._client.list(previous, within=within)
            self._set_clock(answer)
            if not self.clock.known:
                raise InvalidResponseError(
                    "the Date headers of two answers contradict each other and this machine's clock"
                )
        # What happened after the request may be missing in the answer.
        self._requested_at = from_seconds(time.monotonic() - answer.elapsed)
        return answer, self.now() - from_seconds(answer.elapsed)

    def _set_clock(self, answer: Answer[tuple[Batch, ...]]) -> None:
        """Set Feldera's clock by the Date of an answer, if it has one."""
        if answer.date is None:
            return
        # The Date is cut to whole seconds, and is written between the request and the answer.
        half = answer.elapsed / 2
        self.clock = self.clock.after_answer(answer.date + 0.5, time.time() - half, time.monotonic() - half)
        contradiction = self.clock.contradiction
        if contradiction is None:
            self._telemetry.clock_skew.labels(self.instance.name).set(round(self.clock.skew, 3))
            self._wrong_dates.succeeded()
        elif self.clock.known:
            self._wrong_dates.failed("clock", f"{contradiction:+.0f} s", url=self.instance.url)

    async def _process(self, listing: Listing, at: Micros, deadline: float) -> None:
        """Publish a list, then read the event logs of the pipelines that changed, and publish them."""
        name = self.instance.name
        if listing is not self._selection.listing:
            self._selection = await self._run(select, listing, self._settings, self._selection)
            self._report_unreadable(listing)
        to_read = await self._run(
            self.ledger.observe_list,
            self._selection.rows,
            self._selection.lost,
            at,
            await self._recall(self._selection.rows),
            event_log=self._reader.supported,
            read_at=self._requested_at,
        )
        await self._store_and_publish(at)
        self._telemetry.last_success.labels(name).set(time.time())
        if await self._reader.read(to_read, deadline):
            await self._store_and_publish(at)
        self._report_event_log()
        self._telemetry.backlog.labels(name).set(len(self.ledger.pending))
        for pipeline in self.fleet.pipelines.values():
            for dimension in pipeline.facts.unknown:
                self._telemetry.unknown_statuses.labels(name, dimension).inc()

    async def _store_and_publish(self, at: Micros) -> None:
        """Store what changed, then publish it: after a kill in between, no published counter is ahead of the store."""
        fleet = await self._run(
            observed, self.fleet, self._selection, self.ledger.published(), self._settings, at
        )
        problems = await self._run(evaluate, self.problems, fleet, self._settings.disabled, at)
        if self._store is None:
            self.ledger.stored()
        else:
            await self._commit(self._store, fleet.names, problems)
        # The platform may have been set meanwhile.
        self.fleet = replace(fleet, platform=self.fleet.platform)
        self.problems = problems
        self.polled = True
        self.fresh_until = time.monotonic() + self._settings.freshness
        self._publish(InstanceWithProblems(self.fleet, self.problems), self.fresh_until)

    async def _commit(self, store: Store, names: Names, problems: Problems) -> None:
        """Store what is not stored yet; after an error or a cancellation, the next call stores it."""
        changes = self.ledger.changes().with_names(self.stored_names, names)
        if not same(self.stored_problems, problems):
            changes = replace(changes, problems=encoded(problems))
        with self._store_failure_reported():
            await run_io(store.commit, changes)
            self.ledger.stored()
            self.stored_names, self.stored_problems = names, problems
            self._store_failures.succeeded()

    async def _recall(self, rows: Mapping[str, Row]) -> StoredState:
        """Return what the store has of listed pipelines that have no history."""
        unknown_ids = self.ledger.unknown_ids(rows)
        if self._store is not None and unknown_ids:
            with self._store_failure_reported():
                return await run_io(self._store.recall, self.instance.name, unknown_ids)
        return NOTHING

    async def _run(
        self, work: Callable[_Arguments, _Result], *arguments: _Arguments.args, **more: _Arguments.kwargs
    ) -> _Result:
        """Do what takes as long as the list is long; with a long list in a thread, so that no other instance waits."""
        return await run_cpu(work, *arguments, **more) if self._list_is_long else work(*arguments, **more)

    @contextmanager
    def _store_failure_reported(self) -> Iterator[None]:
        """Report an error of the store, and go on."""
        try:
            yield
        except StoreError as error:
            self._telemetry.store_errors.labels(self.instance.name).inc()
            self._store_failures.failed("store", error)

    def _report_unreadable(self, listing: Listing) -> None:
        unreadable = listing.unreadable
        self._telemetry.unreadable.labels(self.instance.name).set(len(unreadable))
        if unreadable:
            text = f"{len(unreadable)}, the first is {unreadable[0].title}: {unreadable[0].reason}"
            self._unreadable_pipelines.failed("unreadable", self._client.redacted(InvalidResponseError(text)))
        else:
            self._unreadable_pipelines.succeeded()

    def _report_event_log(self) -> None:
        self._telemetry.reads(self.instance.name, "events" if self._reader.supported else "polls")
        if self._reader.supported:
            self._missing_event_log.succeeded()
        else:
            version = self.fleet.platform.version or "unknown"
            self._missing_event_log.failed("unsupported", f"version {version}")
