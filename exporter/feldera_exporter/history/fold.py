"""The fold: observations of a pipeline into its history, each transition exactly once."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from feldera_exporter.history import log_position, status_time
from feldera_exporter.history.builder import HistoryBuilder
from feldera_exporter.history.effects import Effect
from feldera_exporter.history.event_order import State, ordered, state_of
from feldera_exporter.history.history import History
from feldera_exporter.history.observation import Observation
from feldera_exporter.micros import NEVER, Micros

Folded = tuple[History, tuple[Effect, ...]]


@dataclass(frozen=True, slots=True)
class NewEvents:
    """The events of an answer that were not folded before.

    Attributes:
        history: the history before them, with what older events say of it.
        events: in the order in which they were committed.
        guessed: whether that order is a guess.
    """

    history: History
    events: Sequence[Observation]
    guessed: bool = False


def fold(
    history: History,
    observations: Sequence[Observation],
    published: Micros,
    gap_since: Micros | None = None,
    *,
    now: Micros = NEVER,
    stepped_back: bool = False,
) -> Folded:
    """Add observations to a history.

    Folding an answer again, or one that overlaps, adds nothing. The same history is returned where nothing is new.

    Args:
        history: what was counted so far.
        observations: a whole answer of the events endpoint in any order, or one observation made of a row.
        published: the as-of instant with which this history's time was last published, so that no counter falls.
        gap_since: where events were missed, the instant up to which nothing was; the oldest new observation is then the
            one to continue from. None where nothing was missed.
        now: the instant of the last list; all by Feldera's clock.
        stepped_back: whether that clock stepped back since the pipeline's log was last complete.

    Returns:
        The new history, and what the instance as a whole counts, in the order in which it happened.
    """
    if not observations:
        return history, ()
    before = history.log_position
    if observations[0].event_id is None:
        new = NewEvents(history, observations)
    elif gap_since is None:
        new = new_events(history, observations, now, stepped_back=stepped_back)
    else:
        # Where the clock stepped back, the log may have events from before the gap too.
        new = NewEvents(history, ordered(log_position.new_events(before, observations), None)[0])
    position = log_position.advanced(before, observations)
    if not new.events:
        base = new.history
        return (
            base if position == base.log_position else msgspec.structs.replace(base, log_position=position)
        ), ()
    builder, events = HistoryBuilder(new.history), new.events
    if gap_since is not None:
        oldest, *events = events
        builder.count_gap(oldest.at)
        builder.skip_gap(oldest, gap_since)
    elif new.guessed:
        builder.count_gap(max(event.at for event in events))
    for observation in events:
        builder.add(observation)
    folded = builder.finished()
    after = status_time.hold(history.status_time, folded.status_time, published)
    return msgspec.structs.replace(folded, status_time=after, log_position=position), tuple(builder.effects)


def new_events(
    history: History, events: Sequence[Observation], now: Micros = NEVER, *, stepped_back: bool = False
) -> NewEvents:
    """Return the events of an answer that were not folded before; the arguments are those of `fold`."""
    position = history.log_position
    if position.known:
        new = log_position.new_events(position, events)
        log, guessed = ordered(new, _state(history))
    else:
        whole, guessed = ordered(events, None)
        matching = [state_of(event) == _state(history) for event in whole]
        count = log_position.events_before_watch(position, whole, matching)
        log, history = whole[count:], _dated(history, whole[:count])
        # Which events are older than the watch is uncertain too.
        guessed |= stepped_back
    guessed |= log_position.is_order_uncertain(position, log, now, stepped_back=stepped_back)
    return NewEvents(history, log, guessed=guessed)


def _state(history: History) -> State:
    now = history.statuses
    return now.program, now.resources, now.storage, now.runtime, history.errors.present


def _dated(history: History, log: Sequence[Observation]) -> History:
    """Take the times that a row does not say from the events before it: of the storage status, the program's and the error.

    An edit resets the row's `program_status_since` also where the program was Pending before.
    """
    if not log or state_of(log[-1]) != _state(history):
        return history
    since, errors = history.since, history.errors
    storage = _began(log, [event.storage == history.statuses.storage for event in log], since.storage)
    program = _began(log, [event.program == history.statuses.program for event in log], since.program)
    if errors.present:
        at = _began(log, [event.has_error for event in log], errors.at)
        errors = msgspec.structs.replace(errors, at=at)
    return msgspec.structs.replace(
        history, since=msgspec.structs.replace(since, storage=storage, program=program), errors=errors
    )


def _began(log: Sequence[Observation], holding: Sequence[bool], guess: int | None) -> int:
    """Return when what holds at the end of a log began.

    Where the log begins with it already, it began before: then an earlier guess is better.
    """
    index = len(log) - 1
    while index > 0 and holding[index - 1]:
        index -= 1
    at = log[index].at
    return at if index or guess is None else min(at, guess)
