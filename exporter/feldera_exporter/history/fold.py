"""The fold: observations of a pipeline into its history, each transition exactly once."""

from collections.abc import Sequence

import msgspec

from feldera_exporter.history import log_position, status_time
from feldera_exporter.history.builder import HistoryBuilder
from feldera_exporter.history.effects import Effect
from feldera_exporter.history.event_order import State, ordered, state_of
from feldera_exporter.history.history import History
from feldera_exporter.history.observation import Observation

Folded = tuple[History, tuple[Effect, ...]]


def fold(
    history: History,
    observations: Sequence[Observation],
    published: int,
    gap_since: int | None = None,
) -> Folded:
    """Add observations to a history.

    Folding an answer again, or one that overlaps, adds nothing. The same history is returned where nothing is new.

    Args:
        history: what was counted so far.
        observations: a whole answer of the events endpoint in any order, or one synthetic event from a row.
        published: the as-of instant with which this history's time was last published, so that no counter falls;
            microseconds by Feldera's clock.
        gap_since: where the answer no longer reaches back to what was folded, the instant up to which nothing was
            missed; the oldest event is then the one to continue from. None where nothing was missed.

    Returns:
        The new history, and what the instance as a whole counts, in the order it happened.
    """
    if not observations:
        return history, ()
    base, leap, fresh, guessed = history, None, observations, False
    if gap_since is not None:
        (leap, *fresh), guessed = ordered(observations, None)
    elif observations[0].event_id is not None:
        base, fresh, guessed = _unfolded(history, observations)
    at = log_position.advanced(history.log_position, observations)
    if leap is None and not fresh:
        return (base if at == base.log_position else msgspec.structs.replace(base, log_position=at)), ()
    draft = HistoryBuilder(base)
    if leap is not None and gap_since is not None:
        draft.leap(leap, gap_since)
    elif guessed:
        draft.doubt(max(observation.at for observation in fresh))
    for observation in fresh:
        draft.step(observation)
    folded = draft.finished()
    after = status_time.hold(history.status_time, folded.status_time, published)
    return msgspec.structs.replace(folded, status_time=after, log_position=at), tuple(draft.effects)


def _unfolded(history: History, events: Sequence[Observation]) -> tuple[History, Sequence[Observation], bool]:
    """Return the history with what older events tell of it, the events not folded before, and whether their order is a guess."""
    position = history.log_position
    if position.watermark is None:
        log, guessed = ordered(events, None)
        cut = log_position.split(position, log, [state_of(event) == _state(history) for event in log])
        return _dated(history, log[:cut]), log[cut:], guessed
    new = log_position.new_events(position, events)
    log, guessed = ordered(new, _state(history), events)
    return history, log, guessed or log_position.is_unplaced(position, new, events)


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

    Where the log begins with it already, that was before: then the row's guess is the better one if it is earlier.
    """
    index = len(log) - 1
    while index > 0 and holding[index - 1]:
        index -= 1
    at = log[index].at
    return at if index or guess is None else min(at, guess)
