"""The watcher of one instance: each poll takes a list in, reads the logs of what moved, keeps it and shows it."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, NamedTuple, ParamSpec, TypeVar

from feldera_exporter.config import Instance
from feldera_exporter.errors import StoreError
from feldera_exporter.feldera.client import Client
from feldera_exporter.feldera.errors import INTERNAL_ERROR, Answer, FelderaError
from feldera_exporter.feldera.list_batches import Batch
from feldera_exporter.feldera.pipeline_list import Listing, read
from feldera_exporter.feldera.platform import Platform
from feldera_exporter.feldera.wire import Row
from feldera_exporter.ledger import Ledger
from feldera_exporter.logs import FailureLog, Logger, source_location
from feldera_exporter.polling.clock_skew import UNTOLD, ClockSkew
from feldera_exporter.polling.log_reader import EventLogReader
from feldera_exporter.polling.threads import run_cpu, run_io
from feldera_exporter.problems.evaluate import NO_PROBLEMS, Problems, evaluate
from feldera_exporter.problems.observed_instance import ObservedInstance
from feldera_exporter.problems.serialization import encoded, same
from feldera_exporter.state.fleet import Fleet, observed, unobserved, with_failure, with_settings
from feldera_exporter.state.instance_settings import InstanceSettings
from feldera_exporter.state.selection import Selection, select
from feldera_exporter.store.poll_changes import NOTHING, StoredState
from feldera_exporter.store.store import Store
from feldera_exporter.telemetry import Telemetry

Publish = Callable[[ObservedInstance, float], None]
"""Shows an instance, which counts as up until a time of the monotonic clock, in seconds."""

LONG: Final = 2**20
"""Bytes of a list from which on it is worked at in threads: a few hundred pipelines, of which all may have changed."""

_MICROSECONDS: Final = 1_000_000
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class Polled(NamedTuple):
    """How a poll ended.

    Attributes:
        success: whether the list could be read.
        retry_after: for how many seconds the server asks to be left alone.
    """

    success: bool
    retry_after: float


class Watcher:
    """Knows one instance and shows what it knows.

    Args:
        instance: its configuration.
        policy: how its pipelines are shown.
        client: asks it.
        ledger: its books.
        store: keeps the books, None to start anew after each restart.
        publish: shows.
        telemetry: the exporter's own metrics.
        log: with the instance's name.
        fleet: what is shown already of this instance, None at the start.
        problems: those that it has as far as known.
        skew: how far Feldera's clock is from this machine's, as far as known.
        fresh_until: until when what is shown already counts as fresh, monotonic seconds.

    Attributes:
        ledger: the books.
        fleet: what is shown.
        problems: those of the instance and its pipelines.
        skew: what Feldera's clock is believed to be off by.
        fresh_until: until when the instance counts as up, monotonic seconds.
    """

    def __init__(
        self,
        instance: Instance,
        policy: InstanceSettings,
        client: Client,
        ledger: Ledger,
        store: Store | None,
        publish: Publish,
        telemetry: Telemetry,
        log: Logger,
        fleet: Fleet | None = None,
        problems: Problems = NO_PROBLEMS,
        skew: ClockSkew = UNTOLD,
        fresh_until: float = -math.inf,
    ) -> None:
        self._instance = instance
        self._policy = policy
        self._client = client
        self.ledger = ledger
        self._store = store
        self._publish = publish
        self._telemetry = telemetry
        self._log = log
        self._selection = Selection()
        self.fleet = (
            with_settings(fleet, policy) if fleet else Fleet(instance.name, totals=ledger.published().totals)
        )
        self._reader = EventLogReader(client, ledger, instance.timeout, log)
        self._reader.learn(self.fleet.platform.version)
        self.problems = self._kept_problems = problems
        self.skew = skew
        self._read_at = 0
        self._long = False
        self.fresh_until = fresh_until
        self._missed = False
        self._unanswered = FailureLog(log, "poll failed", "poll succeeded again")
        self._unreadable = FailureLog(
            log, "pipelines of the list cannot be read", "all pipelines can be read again"
        )
        self._logless = FailureLog(
            log,
            "this Feldera has no event log: transitions between polls are not seen",
            "there is an event log",
        )
        self._unkept = FailureLog(log, "the store cannot be written", "the store can be written again")

    def show(self) -> None:
        """Show what is known before the first poll; whoever showed this instance until now no longer does."""
        self._telemetry.poll_interval.labels(self._instance.name).set(self._instance.poll_interval)
        self._publish(ObservedInstance(self.fleet, self.problems), self.fresh_until)

    async def poll(self) -> Polled:
        """Poll once and show what came of it."""
        name, began, retry_after = self._instance.name, time.monotonic(), 0.0
        try:
            answer, at = await self._ask()
            self._long = sum(len(batch.text) for batch in answer.body) >= LONG
            listing = await self._do(read, answer.body, self._selection.listing)
            await self._take_in(listing, at, began + self._instance.poll_interval)
        except FelderaError as error:
            outcome, retry_after = error.outcome, error.retry_after
            self._fail(outcome, str(error))
        except Exception as error:  # noqa: BLE001 - a mistake of our own must cost this poll only
            outcome = INTERNAL_ERROR
            self._fail(outcome, type(error).__name__, place=source_location(error))
        else:
            outcome = "success"
            self._unanswered.succeeded()
        if outcome != "success":
            self._miss()
        self._telemetry.polls.labels(name, outcome).inc()
        self._telemetry.poll_duration.labels(name).observe(time.monotonic() - began)
        return Polled(outcome == "success", retry_after)

    def expires_in(self) -> float:
        """Return the seconds until what is still shown of an instance that does not answer is stale; infinity if nothing is."""
        if not self._missed or not self.fleet.pipelines:
            return math.inf
        return max(0.0, (self.fleet.read_at + self._policy.staleness - self.now()) / _MICROSECONDS) + 0.001

    def expire(self) -> None:
        """Stop showing what is stale by now, without waiting for the next poll."""
        if self._missed:
            self._miss()

    def now(self) -> int:
        """Return the present instant by Feldera's clock, in microseconds since the epoch."""
        return round((time.time() + self.skew.seconds) * _MICROSECONDS)

    def _fail(self, outcome: str, text: str, **fields: str) -> None:
        """Note why a poll failed."""
        self._unanswered.failed(outcome, text, url=self._instance.url, **fields)
        self.fleet = with_failure(self.fleet, outcome, text, self.now())

    def _miss(self) -> None:
        self._missed = True
        up = time.monotonic() < self.fresh_until
        self.fleet = unobserved(self.fleet, self._policy, self.now(), up=up)
        self._publish(ObservedInstance(self.fleet, self.problems), self.fresh_until)

    def learn(self, platform: Platform) -> None:
        """Take in what the instance says of itself; it is shown with the next snapshot."""
        if platform.version != self.fleet.platform.version:
            self._log.info("Feldera's version", version=platform.version, edition=platform.edition)
            self._reader.learn(platform.version)
        self.fleet = replace(self.fleet, platform=platform)

    async def _ask(self) -> tuple[Answer[tuple[Batch, ...]], int]:
        """Return the list and Feldera's time when it was asked for."""
        previous, within = self._selection.listing.batches, self._instance.timeout
        answer = await self._client.list(previous, within=within)
        at = self._told_at(answer)
        if self.skew.doubted is not None and not self.skew.known:
            # What the first poll begins to count from cannot be mended by the second one.
            answer = await self._client.list(previous, within=within)
            at = self._told_at(answer)
        return answer, at

    async def _take_in(self, listing: Listing, at: int, deadline: float) -> None:
        if listing is not self._selection.listing:
            self._selection = await self._do(select, listing, self._policy, self._selection)
            self._complain(listing)
        to_read = await self._do(
            self.ledger.observe_list,
            self._selection.rows,
            self._selection.lost,
            at,
            await self._recall(self._selection.rows),
            event_log=self._reader.supported,
            read_at=self._read_at,
        )
        await self._show(at)
        self._telemetry.last_success.labels(self._instance.name).set(time.time())
        # The statuses are out; now what happened in between.
        if await self._reader.read(to_read, deadline):
            await self._show(at)
        self._check_event_log()
        self._telemetry.backlog.labels(self._instance.name).set(len(self.ledger.pending))
        self._telemetry.reads(self._instance.name, "events" if self._reader.supported else "polls")
        for pipeline in self.fleet.pipelines.values():
            for dimension in pipeline.facts.unknown:
                self._telemetry.unknown_statuses.labels(self._instance.name, dimension).inc()

    def _check_event_log(self) -> None:
        if self._reader.supported:
            self._logless.succeeded()
        else:
            self._logless.failed("unsupported", f"version {self.fleet.platform.version or 'unknown'}")

    async def _show(self, at: int) -> None:
        """Keep what changed, then show it: after a kill in between, what was shown is never more than what was kept."""
        if self._store is None:
            await self._do(self.ledger.changes)
        else:
            await self._keep(self._store)
        fleet = await self._do(
            observed, self.fleet, self._selection, self.ledger.published(), self._policy, at
        )
        # What the instance says of itself may have come in between.
        self.fleet = replace(fleet, platform=self.fleet.platform)
        self.problems = await self._do(evaluate, self.problems, self.fleet, self._policy.disabled, at)
        await self._keep_problems()
        self._missed = False
        self.fresh_until = time.monotonic() + self._policy.freshness
        self._publish(ObservedInstance(self.fleet, self.problems), self.fresh_until)

    async def _keep_problems(self) -> None:
        """Keep the problems if they are others than those that were kept last."""
        if self._store is None or same(self._kept_problems, self.problems):
            return
        problems = self.problems
        try:
            await run_io(self._store.keep_problems, self._instance.name, encoded(problems))
        except StoreError as error:
            self._store_failed(error)
        else:
            self._kept_problems = problems

    async def _keep(self, store: Store) -> None:
        """Keep what changed, in one go: a task that ends between the two steps would lose what the ledger gave out."""
        try:
            await run_io(lambda: store.commit(self.ledger.changes()))
        except StoreError as error:
            self._store_failed(error)
        else:
            self._unkept.succeeded()

    async def _recall(self, rows: Mapping[str, Row]) -> StoredState:
        strangers = self.ledger.unknown_ids(rows)
        if self._store is None or not strangers:
            return NOTHING
        try:
            return await run_io(self._store.recall, self._instance.name, strangers)
        except StoreError as error:
            self._store_failed(error)
            return NOTHING

    def _store_failed(self, error: StoreError) -> None:
        self._telemetry.store_errors.labels(self._instance.name).inc()
        self._unkept.failed("store", error)

    async def _do(
        self, work: Callable[_Arguments, _Result], *arguments: _Arguments.args, **more: _Arguments.kwargs
    ) -> _Result:
        """Do what takes as long as the list is long: where that is very long, so that no other instance waits for it."""
        return await run_cpu(work, *arguments, **more) if self._long else work(*arguments, **more)

    def _complain(self, listing: Listing) -> None:
        unreadable = listing.unreadable
        self._telemetry.unreadable.labels(self._instance.name).set(len(unreadable))
        if unreadable:
            first = unreadable[0]
            self._unreadable.failed(
                "unreadable",
                f"{len(unreadable)}, the first is {first.title}: {first.reason}",
            )
        else:
            self._unreadable.succeeded()

    def _told_at(self, answer: Answer[tuple[Batch, ...]]) -> int:
        """Return Feldera's time when an answer was asked for, and learn how far its clock is from this machine's."""
        if answer.date is not None:
            # The header is whole seconds, cut off, of a moment between the request and the answer.
            self.skew = self.skew.told(answer.date + 0.5 - (time.time() - answer.elapsed / 2))
            if self.skew.known:
                self._telemetry.clock_skew.labels(self._instance.name).set(round(self.skew.seconds, 3))
        self._read_at = round((time.monotonic() - answer.elapsed) * _MICROSECONDS)
        # Nobody knows how late the answer was written: what it does not tell may have happened since it was asked for.
        return self.now() - round(answer.elapsed * _MICROSECONDS)
