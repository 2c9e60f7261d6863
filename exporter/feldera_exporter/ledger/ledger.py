"""The books of one instance: moved only by what they are told, lists and answers of the event log.

They know no clock, no network and no file, so that days of a fleet's life can be driven through them in seconds.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from feldera_exporter.feldera.pipeline_list import Unreadable
from feldera_exporter.feldera.wire import Event, Row, micros
from feldera_exporter.history import instance_totals, status_time
from feldera_exporter.history.evaluation import LATE, Evaluation, evaluate_events, evaluate_row
from feldera_exporter.history.history import History
from feldera_exporter.history.initial import initial_history, initial_history_from_creation
from feldera_exporter.history.read_queue import Plan, changed_rows, plan, unsettled, with_new_events
from feldera_exporter.history.row_cursor import cursor
from feldera_exporter.ledger.visible_counters import VisibleCounters
from feldera_exporter.state.fleet import PublishedCounters
from feldera_exporter.store.poll_changes import NOTHING, PollChanges, StoredInstance, StoredState

MARGIN: Final = 3_000_000
"""How far the credit of present statuses stays behind the last list, in microseconds: an event becomes visible a
little after its own time."""

BUDGET: Final = 200
"""How many pipelines' events are read after one list at most: a few seconds' worth."""

MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class _Answer:
    """Events that were read under a name which may have meant another pipeline."""

    name: str
    events: Sequence[Event]


class Ledger:
    """The books of one instance; all instants are microseconds by Feldera's clock.

    Args:
        instance: its name in the configuration.
        remembered: what was kept of it from before the start.
        budget: how many pipelines' events are read after one list at most; the others wait for the next.

    Attributes:
        pending: the pipelines whose log must be read, by id, the longest waiting first, and up to when each is known
            to be complete.
        totals: what was counted over all pipelines.
    """

    def __init__(self, instance: str, remembered: StoredState = NOTHING, budget: int = BUDGET) -> None:
        standing = remembered.standing
        self._budget = budget
        self.instance = instance
        self.pending: dict[str, int] = dict(remembered.waiting)
        self.totals = standing.totals
        self._histories: dict[str, History] = dict(remembered.histories)
        self._listed: Mapping[str, Row] | None = None
        self._rows: Mapping[str, Row] = {}
        self._lost: Mapping[str, Unreadable] = {}
        # The list is at least as new; `as_of` follows it, so that the one tells the other.
        self._confirmed_until = standing.confirmed_until
        self._as_of = standing.as_of
        self._unproven: dict[str, _Answer] = {}
        # What changed since the last `changes`.
        self._moved: dict[str, History] = {}
        self._vanished: dict[str, int] = {}
        self._left: dict[str, int] = {}
        self._kept_pending: dict[str, int] = dict(self.pending)
        self._display = VisibleCounters(standing.totals)
        for one, history in self._histories.items():
            self._display.show(one, history, self._confirmed_until)
        for one, until in self.pending.items():
            # It was credited as of the last list before it moved.
            self._display.freeze(one, self._credited(one, _as_of(until)))

    def strangers(self, rows: Mapping[str, Row]) -> tuple[str, ...]:
        """Return the listed pipelines that have no history: the store may remember them from before they vanished."""
        if rows is self._listed:
            return ()
        return tuple(one for one in rows if one not in self._histories)

    def listed(
        self,
        rows: Mapping[str, Row],
        lost: Mapping[str, Unreadable],
        at: int,
        recalled: StoredState = NOTHING,
        *,
        event_log: bool,
    ) -> Plan:
        """Take in a list, and return whose events are to be read now.

        Args:
            rows: the pipelines that are watched and could be read, by id.
            lost: those whose element could not be read, by id, whether they are watched or not.
            at: Feldera's time of the list, which holds all that was visible then.
            recalled: what the store still had of `strangers`.
            event_log: whether the server has one; without it the rows themselves are folded, and nothing is read.
        """
        before, self._as_of = self._as_of, max(self._as_of, _as_of(at))
        # The very same rows as before: nothing came, went or moved.
        due = () if rows is self._listed else self._take(rows, lost, at, before, recalled)
        for one in due:
            self._display.freeze(one, self._credited(one, before))
        present: Collection[str] = rows.keys() | lost.keys() if lost else rows
        readable: Collection[str] = rows
        if lost and event_log:
            # Of a pipeline whose row cannot be read the log can: it is asked for by name.
            readable = rows.keys() | {
                one for one, each in lost.items() if each.name and one in self._histories
            }
        budget = self._budget if event_log else len(rows)
        chosen = plan(due, self.pending, present, readable, self._confirmed_until or at, budget)
        self.pending = {**chosen.to_read, **chosen.backlog}
        self._confirmed_until = max(self._confirmed_until, at)
        self._display.release(self._histories, self._confirmed_until)
        if not event_log:
            for one in chosen.to_read:
                self.accept(
                    one, evaluate_row(self._histories[one], rows[one], at, self._credited(one, self._as_of))
                )
            self._unproven = {}
            return Plan({}, {})
        self._unproven = {
            one: answer
            for one, answer in self._unproven.items()
            if (one in rows and rows[one].name == answer.name)
            or (one in lost and lost[one].told and lost[one].name == answer.name)
        }
        return Plan(
            {one: until for one, until in chosen.to_read.items() if one not in self._unproven}, chosen.backlog
        )

    def name(self, one: str) -> str:
        """Return the name under which a pipeline was listed."""
        lost = self._lost.get(one)
        return lost.name if lost is not None and lost.name is not None else self._rows[one].name

    def asked(self, one: str) -> None:
        """Let a pipeline wait behind all others, as its log is being read: whatever comes of it, it starves nobody."""
        self.pending[one] = self.pending.pop(one)

    def vouched(self) -> Mapping[str, Sequence[Event]]:
        """Return the answers kept by `keep` whose name a later list mapped to the same pipeline; they are handed out once."""
        answers, self._unproven = self._unproven, {}
        return {one: answer.events for one, answer in answers.items()}

    def judge(self, one: str, events: Sequence[Event]) -> Evaluation:
        """Return what an answer of the event log is worth."""
        return evaluate_events(
            self._histories[one],
            events,
            None if one in self._lost else self._rows[one],
            confirmed_until=self.pending[one],
            published=self._credited(one, self._as_of),
        )

    def keep(self, one: str, events: Sequence[Event]) -> None:
        """Keep an answer of which nothing proves yet that it is this pipeline's."""
        self._unproven[one] = _Answer(self.name(one), events)

    def accept(self, one: str, verdict: Evaluation) -> None:
        """Count what an answer told."""
        self.totals = instance_totals.add(self.totals, verdict.effects)
        if verdict.history is not self._histories[one]:
            self._histories[one] = self._moved[one] = verdict.history
            self._display.show(one, verdict.history, self._confirmed_until)
        if verdict.settled:
            del self.pending[one]
            self._display.thaw(one)

    def changes(self) -> PollChanges:
        """Return what must be kept since the last call, before `shown` may be published."""
        kept = self._kept_pending
        waiting: dict[str, int | None] = dict.fromkeys(kept.keys() - self.pending.keys())
        waiting |= {one: until for one, until in self.pending.items() if kept.get(one) != until}
        changes = PollChanges(
            self.instance,
            StoredInstance(self._confirmed_until, self._as_of, self.totals),
            self._moved,
            waiting | self._left,
            self._vanished,
        )
        self._moved, self._vanished, self._left = {}, {}, {}
        self._kept_pending = dict(self.pending)
        return changes

    def shown(self) -> PublishedCounters:
        """Return what may be published once the last `changes` are kept."""
        return self._display.shown(self.totals, self._as_of, self._confirmed_until)

    def _credited(self, one: str, as_of: int) -> int:
        return self._display.credited(one, self._histories[one], as_of)

    def _take(
        self,
        rows: Mapping[str, Row],
        lost: Mapping[str, Unreadable],
        at: int,
        before: int,
        recalled: StoredState,
    ) -> Sequence[str]:
        """Take in rows that differ from those before, and return the pipelines whose history does not agree with them."""
        for one in self._histories.keys() - rows.keys() - lost.keys():
            self._forget(one, at, before)
        for one in self.strangers(rows):
            self._meet(rows[one], at, recalled)
        suspects: Iterable[str] = rows
        if self._listed is not None:
            others = changed_rows(self._rows, rows)
            suspects = with_new_events(self._rows, rows, others)
        # An element that cannot be read hides what happens: that log must be read from here on.
        hidden = [one for one in lost if one in self._histories]
        kept = {one: self._rows[one] for one in hidden if one in self._rows}
        self._listed, self._lost, self._rows = rows, lost, {**rows, **kept} if kept else rows
        self.totals = instance_totals.admit(
            self.totals, (row.deployment_error.error_code for row in rows.values() if row.deployment_error)
        )
        return [*unsettled(self._histories, rows, suspects), *hidden]

    def _forget(self, one: str, at: int, before: int) -> None:
        """Let a pipeline go, and keep what it takes to go on with it: it may be out of sight only."""
        credited = self._credited(one, before)
        history = self._histories.pop(one)
        self._moved[one] = msgspec.structs.replace(
            history, status_time=status_time.hold(history.status_time, history.status_time, credited)
        )
        self._vanished[one] = at
        self._left[one] = self.pending.pop(one, self._confirmed_until)
        self._display.remove(one)

    def _meet(self, row: Row, at: int, recalled: StoredState) -> None:
        one = row.id
        known = recalled.histories.get(one)
        if known is not None:
            self._histories[one] = self._moved[one] = known
            self._display.show(one, known, self._confirmed_until)
            # What was kept of its waiting must be corrected, whether it waits now or not.
            until = recalled.waiting.get(one, self._confirmed_until)
            self._kept_pending[one] = until
            if known.cursor != cursor(row):
                self.pending[one] = until
                self._display.freeze(one, known.status_time.credited)
            return
        # One that was created shortly before the last list may not have been visible in it.
        if self._confirmed_until and micros(row.created_at) > self._confirmed_until - LATE:
            history = initial_history_from_creation(row, at)
        else:
            history = initial_history(row, at, self._as_of)
        self._histories[one] = self._moved[one] = history
        self._display.show(one, history, self._confirmed_until)


def _as_of(at: int) -> int:
    """Return up to when present statuses are credited after a list told at an instant.

    Whole seconds: only the whole part of each counter moves from poll to poll.
    """
    return (at - MARGIN) // MICROSECONDS * MICROSECONDS
