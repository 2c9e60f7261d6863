"""The counters of one instance: computed from its lists and from answers of the event log.

The ledger uses no clock, no network and no file, so that tests can run days of an instance's life in seconds.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from feldera_exporter.feldera.pipeline_list import Unreadable
from feldera_exporter.feldera.wire import Event, Row
from feldera_exporter.history import instance_totals, status_time
from feldera_exporter.history.answer_evaluation import LOCK_TIMEOUT, Evaluation, evaluate_events, evaluate_row
from feldera_exporter.history.history import History
from feldera_exporter.history.initial import initial_history, initial_history_from_creation
from feldera_exporter.history.row_digest import event_fields, row_digest
from feldera_exporter.ledger.visible_counters import VisibleCounters
from feldera_exporter.micros import SECOND, Micros, from_datetime
from feldera_exporter.state.fleet import PublishedCounters
from feldera_exporter.store.poll_changes import NOTHING, PollChanges, StoredInstance, StoredState

MARGIN: Final = 3 * SECOND
"""How far the credit of present statuses stays behind the last list: an event becomes visible a little after its time."""

STEP: Final = 6 * SECOND
"""By how much Feldera's clock must lag behind the monotonic clock between two lists to have stepped back: its time is
known to a second, and an answer takes up to five."""

BUDGET: Final = 200
"""How many pipelines' events are read after one list at most: a few seconds' worth."""


class Ledger:
    """The counters of one instance; all instants are by Feldera's clock.

    Args:
        instance: its name in the configuration.
        stored: what the store has of it from before the start.
        budget: how many pipelines' events are read after one list at most; the others wait for the next.

    Attributes:
        pending: the pipelines whose log must be read, by id, the longest waiting first, and up to when each is known
            to be complete.
        totals: the counters over all pipelines.
    """

    def __init__(self, instance: str, stored: StoredState = NOTHING, budget: int = BUDGET) -> None:
        standing = stored.standing
        self._budget = budget
        self.instance = instance
        self.pending: dict[str, Micros] = dict(stored.waiting)
        self.totals = standing.totals
        self._histories: dict[str, History] = dict(stored.histories)
        self._listed: Mapping[str, Row] | None = None
        self._rows: Mapping[str, Row] = {}
        self._unreadable: Mapping[str, Unreadable] = {}
        self._confirmed_until = standing.confirmed_until
        self._as_of = standing.as_of
        # When the last list was read, in microseconds by the monotonic clock.
        self._read_at: Micros | None = None
        # The pending pipelines since whose last reading Feldera's clock stepped back.
        self._stepped_back = {
            pipeline_id for pipeline_id, until in self.pending.items() if until > self._confirmed_until
        }
        # Logs, with the names by which they were read: these may have belonged to other pipelines.
        self._deferred: dict[str, tuple[str, Sequence[Event]]] = {}
        # What is not stored yet.
        self._changed: dict[str, History] = {}
        self._vanished: dict[str, Micros] = {}
        self._vanished_pending: dict[str, Micros] = {}
        self._stored_pending: dict[str, Micros] = dict(self.pending)
        self._display = VisibleCounters(standing.totals)
        for pipeline_id, history in self._histories.items():
            self._display.show(pipeline_id, history, self._now)
        for pipeline_id, until in self.pending.items():
            # It was credited as of the last list before its row changed, or further if the clock stepped back then.
            credited = max(_as_of(until), self._histories[pipeline_id].status_time.credited)
            self._display.freeze(pipeline_id, self._credited(pipeline_id, credited))

    def unknown_ids(self, rows: Mapping[str, Row]) -> tuple[str, ...]:
        """Return the listed pipelines without a history: the store may have one from before they vanished."""
        if rows is self._listed:
            return ()
        return tuple(pipeline_id for pipeline_id in rows if pipeline_id not in self._histories)

    def observe_list(
        self,
        rows: Mapping[str, Row],
        unreadable: Mapping[str, Unreadable],
        at: Micros,
        recalled: StoredState = NOTHING,
        *,
        event_log: bool,
        read_at: Micros | None = None,
    ) -> Sequence[str]:
        """Compare a list with the histories, and return the ids of the pipelines whose events are to be read now.

        Args:
            rows: the pipelines that are watched and could be read, by id.
            unreadable: those whose element could not be read, by id, whether they are watched or not.
            at: Feldera's time of the list, which holds all that was visible then.
            recalled: what the store has of `unknown_ids`.
            event_log: whether the server has one; without it the rows themselves are folded, and nothing is read.
            read_at: the time of the list by a monotonic clock, in microseconds; None where that is not known.
        """
        since = at - self._elapsed(read_at)
        stepped_back = since < self._confirmed_until - STEP
        # The very same rows as before: nothing came, went or changed.
        same = rows is self._listed
        if not same:
            for pipeline_id in self._histories.keys() - rows.keys() - unreadable.keys():
                self._remove(pipeline_id, at)
        before, self._as_of = self._as_of, max(self._as_of, _as_of(at))
        due = () if same else self._compare(rows, unreadable, at, since, recalled)
        for pipeline_id in due:
            credited = self._credited(pipeline_id, before)
            self._display.freeze(pipeline_id, credited)
            if credited > _as_of(self._confirmed_until):
                self._note_credit(pipeline_id, credited)
        self.pending = {
            pipeline_id: until
            for pipeline_id, until in self.pending.items()
            if pipeline_id in rows or pipeline_id in unreadable
        }
        for pipeline_id in due:
            self.pending.setdefault(pipeline_id, self._confirmed_until or at)
        if stepped_back:
            self._stepped_back |= self.pending.keys()
            self._confirmed_until = at
        else:
            self._stepped_back &= self.pending.keys()
            self._confirmed_until = max(self._confirmed_until, at)
        self._display.release(self._histories, self._now)
        if not event_log:
            for pipeline_id in [each for each in self.pending if each in rows]:
                credited = self._credited(pipeline_id, self._as_of)
                self.apply(
                    pipeline_id,
                    evaluate_row(self._histories[pipeline_id], rows[pipeline_id], at, credited),
                )
            self._deferred = {}
            return ()
        names = {each.id: each.name for each in unreadable.values() if each.identified}
        self._deferred = {
            pipeline_id: (name, log)
            for pipeline_id, (name, log) in self._deferred.items()
            if name == (rows[pipeline_id].name if pipeline_id in rows else names.get(pipeline_id))
        }
        to_read = [
            pipeline_id
            for pipeline_id in self.pending
            # The log of a pipeline whose row cannot be read can be: the request has its name.
            if pipeline_id in rows or (unreadable[pipeline_id].name and pipeline_id in self._histories)
        ]
        return [pipeline_id for pipeline_id in to_read[: self._budget] if pipeline_id not in self._deferred]

    def name(self, pipeline_id: str) -> str:
        """Return the name by which a pipeline was listed."""
        unreadable = self._unreadable.get(pipeline_id)
        return (unreadable and unreadable.name) or self._rows[pipeline_id].name

    def has_read_events(self) -> bool:
        """Return whether events of any pipeline were read, also before a restart."""
        return any(history.log_position.known for history in self._histories.values())

    def requeue(self, pipeline_id: str) -> None:
        """Move a pipeline whose log is being read behind all others, so that one that fails delays no other."""
        self.pending[pipeline_id] = self.pending.pop(pipeline_id)

    def confirmed_answers(self) -> Iterator[tuple[str, Sequence[Event]]]:
        """Yield the answers given to `defer` whose name a later list mapped to the same pipeline; each only once."""
        for pipeline_id in tuple(self._deferred):
            yield pipeline_id, self._deferred.pop(pipeline_id)[1]

    def evaluate(self, pipeline_id: str, log: Sequence[Event]) -> Evaluation:
        """Return what an answer of the event log adds."""
        return evaluate_events(
            self._histories[pipeline_id],
            log,
            None if pipeline_id in self._unreadable else self._rows[pipeline_id],
            confirmed_until=self.pending[pipeline_id],
            published=self._credited(pipeline_id, self._as_of),
            now=self._confirmed_until,
            stepped_back=pipeline_id in self._stepped_back,
        )

    def defer(self, pipeline_id: str, log: Sequence[Event]) -> None:
        """Keep an answer until a list confirms that it is about this pipeline."""
        self._deferred[pipeline_id] = self.name(pipeline_id), log

    def apply(self, pipeline_id: str, evaluation: Evaluation) -> None:
        """Count what an answer added."""
        self.totals = instance_totals.add(self.totals, evaluation.effects)
        if evaluation.history is not self._histories[pipeline_id]:
            self._histories[pipeline_id] = self._changed[pipeline_id] = evaluation.history
            self._display.show(pipeline_id, evaluation.history, self._now)
        if evaluation.settled:
            del self.pending[pipeline_id]
            self._stepped_back.discard(pipeline_id)
            self._display.thaw(pipeline_id)

    def changes(self) -> PollChanges:
        """Return what is not stored yet; it must be stored before `published` is exported."""
        moved = {pipeline_id for pipeline_id, _ in self._stored_pending.items() ^ self.pending.items()}
        waiting = {pipeline_id: self.pending.get(pipeline_id) for pipeline_id in self._changed.keys() | moved}
        return PollChanges(
            self.instance,
            StoredInstance(self._confirmed_until, self._as_of, self.totals),
            self._changed,
            waiting | self._vanished_pending,
            self._vanished,
        )

    def stored(self) -> None:
        """Forget the last `changes`: the store has them, or there is none."""
        self._changed, self._vanished, self._vanished_pending = {}, {}, {}
        self._stored_pending = dict(self.pending)

    def published(self) -> PublishedCounters:
        """Return what may be exported once the last `changes` are stored."""
        return self._display.published(self.totals, self._as_of, self._now)

    @property
    def _now(self) -> Micros:
        """The instant up to which new counters are held: that of the last list, but it never moves back."""
        return self._as_of + MARGIN

    def _elapsed(self, read_at: Micros | None) -> Micros:
        """Return the microseconds since the last list by the monotonic clock, 0 where that is not known."""
        before, self._read_at = self._read_at, read_at
        return 0 if before is None or read_at is None else read_at - before

    def _credited(self, pipeline_id: str, as_of: Micros) -> Micros:
        return self._display.credited(pipeline_id, self._histories[pipeline_id], as_of)

    def _compare(
        self,
        rows: Mapping[str, Row],
        unreadable: Mapping[str, Unreadable],
        at: Micros,
        since: Micros,
        recalled: StoredState,
    ) -> Sequence[str]:
        """Take rows that differ from those before, and return the pipelines whose history does not agree with them."""
        for pipeline_id in self.unknown_ids(rows):
            self._add(rows[pipeline_id], at, since, recalled)
        changed = [
            row
            for pipeline_id, row in rows.items()
            if self._listed is None
            or (before := self._rows.get(pipeline_id)) is None
            or (before is not row and event_fields(before) != event_fields(row))
        ]
        # It is not known when an element that cannot be read changes, so its log is read at every poll.
        hidden = [pipeline_id for pipeline_id in unreadable if pipeline_id in self._histories]
        last_read = {
            pipeline_id: self._rows[pipeline_id] for pipeline_id in hidden if pipeline_id in self._rows
        }
        self._listed, self._unreadable = rows, unreadable
        self._rows = {**rows, **last_read} if last_read else rows
        self.totals = instance_totals.admit(
            self.totals, (row.deployment_error.error_code for row in rows.values() if row.deployment_error)
        )
        return [
            *(row.id for row in changed if self._histories[row.id].row_digest != row_digest(row)),
            *hidden,
        ]

    def _remove(self, pipeline_id: str, at: Micros) -> None:
        """Remove a pipeline that is no longer listed, but let the store keep its history: it may be listed again."""
        self._note_credit(pipeline_id, self._credited(pipeline_id, self._as_of))
        del self._histories[pipeline_id]
        self._vanished[pipeline_id] = at
        self._vanished_pending[pipeline_id] = self.pending.pop(pipeline_id, self._confirmed_until)
        self._display.remove(pipeline_id)

    def _note_credit(self, pipeline_id: str, credited: Micros) -> None:
        """Let the history say up to when its present status was credited."""
        history = self._histories[pipeline_id]
        time = status_time.hold(history.status_time, history.status_time, credited)
        history = msgspec.structs.replace(history, status_time=time)
        self._histories[pipeline_id] = self._changed[pipeline_id] = history

    def _add(self, row: Row, at: Micros, since: Micros, recalled: StoredState) -> None:
        pipeline_id = row.id
        # If it vanished and that could not be stored, the store has less.
        history = self._changed.get(pipeline_id) or recalled.histories.get(pipeline_id)
        if history is not None:
            self._histories[pipeline_id] = self._changed[pipeline_id] = history
            self._display.show(pipeline_id, history, self._now)
            until = recalled.waiting.get(pipeline_id, self._confirmed_until)
            until = self._vanished_pending.pop(pipeline_id, until)
            self._vanished.pop(pipeline_id, None)
            if history.row_digest != row_digest(row):
                self.pending[pipeline_id] = until
                self._display.freeze(pipeline_id, history.status_time.credited)
            return
        # A pipeline that was created shortly before the last list may not have been visible in it.
        last_list = min(self._confirmed_until, since)
        if self._confirmed_until and from_datetime(row.created_at) > last_list - LOCK_TIMEOUT:
            history = initial_history_from_creation(row, at)
        else:
            history = initial_history(row, at, self._as_of)
        self._histories[pipeline_id] = self._changed[pipeline_id] = history
        self._display.show(pipeline_id, history, self._now)


def _as_of(at: Micros) -> Micros:
    """Return up to when present statuses are credited after a list of an instant.

    Whole seconds: only the whole part of each counter changes from poll to poll.
    """
    return (at - MARGIN) // SECOND * SECOND
