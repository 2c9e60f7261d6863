"""Feldera's database: transactions on one pipeline's row, its lock, and the events written with every change."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from feldera_exporter.micros import SECOND, Micros, from_seconds
from feldera_exporter.simulator.api_errors import ApiError, refusal
from feldera_exporter.simulator.event_queue import EventQueue
from feldera_exporter.simulator.events import record
from feldera_exporter.simulator.manager_processes import ManagerProcesses, generators
from feldera_exporter.simulator.pipeline import SimulatedPipeline
from feldera_exporter.simulator.row import PipelineRow

LOCK_TIMEOUT: Final = 10 * SECOND
"""How long a transaction waits for a lock (pipeline-manager `db/transaction.rs`)."""

_REFUSED: Final = "Error occurred while creating a new object: error connecting to server: Connection refused (os error 111)"

Work = Callable[[PipelineRow, int], Sequence[PipelineRow]]
"""What a transaction does: the locked row and NOW() in; out comes the row after each write that records an event."""

Done = Callable[[ApiError | None], None]
"""Called after a transaction has committed (with None) or was rolled back (with the error)."""

Observer = Callable[[SimulatedPipeline, PipelineRow | None, Micros, Micros], None]
"""Called with a pipeline that changed, its row before (None: it is new), the start of the transaction, and when the change
is visible. A deleted pipeline is no longer alive."""


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A transaction that has begun: `asked` is when it comes to the lock."""

    pipeline: SimulatedPipeline
    writer: str
    work: Work
    done: Done | None
    begun: Micros
    asked: Micros

    def settle(self, error: ApiError | None) -> None:
        """Call the writer's callback, if there is one."""
        if self.done is not None:
            self.done(error)


class Database:
    """The pipelines, by name and in the order of their ids, and the only way to change them.

    Attributes:
        pipelines: every pipeline by its id, in the order of creation, which is the order of the ids.
        version: counts every visible change.
        down: whether it cannot be reached; nothing is written then.
        listeners: called after every commit, as Postgres's NOTIFY is.
        observers: called for every write.
    """

    def __init__(self, event_queue: EventQueue, seed: int, processes: ManagerProcesses) -> None:
        self._event_queue = event_queue
        self._random = Random(f"database/{seed}")
        self._processes = processes
        self._names: dict[str, SimulatedPipeline] = {}
        self._grown: set[str] = set()
        self.pipelines: dict[str, SimulatedPipeline] = {}
        self.version = 0
        self.down = False
        self.listeners: list[Callable[[SimulatedPipeline], None]] = []
        self.observers: list[Observer] = []
        self.ids = generators(processes, seed)

    def __iter__(self) -> Iterator[SimulatedPipeline]:
        return iter(self.pipelines.values())

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def get(self, name: str) -> SimulatedPipeline:
        """Return a pipeline by name.

        Raises:
            ApiError: 404, there is none.
        """
        pipeline = self._names.get(name)
        if pipeline is None:
            raise refusal("UnknownPipelineName", pipeline_name=name)
        return pipeline

    def check(self) -> None:
        """Refuse a request while the database cannot be reached.

        Raises:
            ApiError: 500, it is down.
        """
        if self.down:
            raise refusal("PostgresPoolError", error=_REFUSED, backtrace="disabled backtrace")

    def insert(self, pipeline: SimulatedPipeline) -> None:
        """Create a pipeline, with its first event, at once."""
        self.check()
        row = pipeline.row
        pipeline.begun = row.created_at
        self.pipelines[pipeline.id] = self._names[row.name] = pipeline
        self._observe(pipeline, None, row.created_at, row.created_at)
        pipeline.log.append(record(self.ids["api"](self._event_queue.now), row.created_at, row, None))
        self._announce(pipeline)

    def remove(self, pipeline: SimulatedPipeline, check: Callable[[PipelineRow], None]) -> None:
        """Delete a pipeline and its events, once its lock is free.

        Raises:
            ApiError: the check refuses it.
        """
        self.check()
        check(pipeline.row)
        if pipeline.locked_until > self._event_queue.now:
            self._event_queue.at(pipeline.locked_until, self._remove_later, pipeline, check)
            return
        del self.pipelines[pipeline.id], self._names[pipeline.row.name]
        pipeline.alive = False
        self._grown.discard(pipeline.id)
        deleted = max(self._event_queue.now, pipeline.begun)
        self._observe(pipeline, pipeline.row, deleted, deleted)
        self.version += 1

    def _remove_later(self, pipeline: SimulatedPipeline, check: Callable[[PipelineRow], None]) -> None:
        """Delete after a wait; the client does not get the response."""
        if pipeline.alive:
            self.remove(pipeline, check)

    def touch(self, pipeline: SimulatedPipeline, row: PipelineRow) -> None:
        """Change what records no event: the client's own metadata."""
        self.check()
        pipeline.row = row
        self._announce(pipeline)

    def begin(self, pipeline: SimulatedPipeline) -> int:
        """Return NOW() of a transaction that begins; two on one row never share it."""
        pipeline.begun = max(self._event_queue.now, pipeline.begun + 1)
        return pipeline.begun

    def write(self, pipeline: SimulatedPipeline, writer: str, work: Work, done: Done | None = None) -> None:
        """Run a transaction on a pipeline's row: at once, or as the lock allows.

        A change that is no longer legal when the lock is taken is rolled back; `done` gets the error.

        Raises:
            ApiError: 500, the database is down and there is no `done`.
        """
        try:
            self.check()
        except ApiError as error:
            if done is None:
                raise
            done(error)
            return
        begun = self.begin(pipeline)
        wait = 0
        if self._random.random() < self._processes.waits:
            wait = from_seconds(self._random.uniform(0.01, self._processes.longest_wait))
        attempt = _Attempt(pipeline, writer, work, done, begun, begun + wait)
        if wait:
            self._event_queue.at(attempt.asked, self._lock, attempt)
        else:
            self._lock(attempt)

    def hold(self, pipeline: SimulatedPipeline, seconds: float) -> None:
        """Hold the row's lock for some seconds, as a slow transaction that changes nothing does."""
        until = max(self._event_queue.now, pipeline.locked_until) + from_seconds(seconds)
        pipeline.locked_until = until

    def _lock(self, attempt: _Attempt) -> None:
        """Take the lock or wait for it; the event ids are made once it is held."""
        now, pipeline = self._event_queue.now, attempt.pipeline
        if pipeline.locked_until > now and pipeline.alive:
            if pipeline.locked_until - attempt.asked > LOCK_TIMEOUT:
                self._event_queue.at(attempt.asked + LOCK_TIMEOUT, attempt.settle, refusal("LockTookTooLong"))
            else:
                self._event_queue.at(pipeline.locked_until, self._lock, attempt)
            return
        try:
            if not pipeline.alive:
                raise refusal("UnknownPipelineName", pipeline_name=pipeline.row.name)
            rows = attempt.work(pipeline.row, attempt.begun)
        except ApiError as error:
            attempt.settle(error)
            return
        ids = [self.ids[attempt.writer](now) for _ in rows]
        hold = from_seconds(self._processes.takes)
        if self._random.random() < self._processes.holds:
            hold += from_seconds(self._random.uniform(0.01, self._processes.longest_hold))
        if hold:
            pipeline.locked_until = now + hold
            self._event_queue.at(now + hold, self._commit, attempt, rows, ids)
        else:
            self._commit(attempt, rows, ids)

    def _commit(self, attempt: _Attempt, rows: Sequence[PipelineRow], ids: Sequence[int]) -> None:
        """Make row and events visible together."""
        pipeline, begun = attempt.pipeline, attempt.begun
        visible = max(self._event_queue.now, begun)
        for row, event_id in zip(rows, ids, strict=True):
            before, pipeline.row = pipeline.row, row
            if row.name != before.name:
                del self._names[before.name]
                self._names[row.name] = pipeline
            self._observe(pipeline, before, begun, visible)
            pipeline.log.append(record(event_id, begun, row, pipeline.log.last))
        if rows:
            self._grown.add(pipeline.id)
            self._announce(pipeline)
        attempt.settle(None)

    def clean(self, retention: int) -> None:
        """Delete the events that exceed the retention (`db/events_cleaner.rs`)."""
        for pipeline_id in self._grown:
            self.pipelines[pipeline_id].log.trim(retention)
        self._grown.clear()

    def _observe(
        self, pipeline: SimulatedPipeline, before: PipelineRow | None, at: Micros, visible: Micros
    ) -> None:
        for observe in self.observers:
            observe(pipeline, before, at, visible)

    def _announce(self, pipeline: SimulatedPipeline) -> None:
        self.version += 1
        for listener in self.listeners:
            listener(pipeline)
