"""What an answer of the events endpoint is worth: whose it is, whether it is complete, what it adds, what it lacks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import msgspec

from feldera_exporter.feldera.wire import Event, Row, micros
from feldera_exporter.history import log_position
from feldera_exporter.history.effects import Effect, ErrorAppeared
from feldera_exporter.history.fold import fold
from feldera_exporter.history.history import History
from feldera_exporter.history.observation import Observation, instants
from feldera_exporter.history.row_cursor import cursor

UNKNOWN_CODE: Final = "unknown"
"""The code of an error whose event was purged before it could be asked for."""

_NEVER: Final = 1 << 62

LATE: Final = 10_000_000
"""Feldera's lock timeout: a transaction may become visible that much after its `recorded_at`."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What to make of one answer.

    Attributes:
        history: the pipeline's history with the answer folded in.
        effects: what the instance counts.
        proven: whether an event known before proves that the answer is this pipeline's. Otherwise keep the events,
            and judge them again once a list read after the answer still maps the name to the id.
        settled: whether the log agrees with the row; else read again at a later poll.
        unnamed: the events of errors whose code is still to be asked for, before the verdict may be kept.
    """

    history: History
    effects: tuple[Effect, ...]
    proven: bool
    settled: bool
    unnamed: tuple[str, ...]

    def named(self, codes: Mapping[str, str]) -> Self:
        """Return the verdict with the codes that `…/events/{id}?selector=all` told.

        Args:
            codes: the `error_code` by event id; `UNKNOWN_CODE` where the event is gone.
        """
        effects = tuple(_named(effect, codes) for effect in self.effects)
        appeared = [effect for effect in effects if isinstance(effect, ErrorAppeared)]
        errors = self.history.errors
        if errors.present and errors.code is None and appeared:
            errors = msgspec.structs.replace(errors, code=appeared[-1].code)
        return replace(
            self,
            history=msgspec.structs.replace(self.history, errors=errors),
            effects=effects,
            unnamed=_unnamed(effects),
        )


def evaluate_events(
    history: History, events: Sequence[Event], row: Row | None, confirmed_until: int, published: int
) -> Evaluation:
    """Fold an answer and judge it against the pipeline's row.

    Args:
        history: what was counted so far.
        events: the whole answer.
        row: the pipeline as listed, before or after the answer was read; None where that could not be read.
        confirmed_until: up to when the history is known to be complete (`reading.Pending`).
        published: the as-of instant with which the history's time was last published; all in microseconds by
            Feldera's clock.
    """
    observations = [
        Observation.from_event(event) for event in {event.event_id: event for event in events}.values()
    ]
    proven = log_position.has_known_event(history.log_position, observations)
    gap = not proven and _purged(history, observations, row, confirmed_until)
    complete = max(confirmed_until, history.log_position.newest)
    folded, effects = fold(history, observations, published, gap_since=complete if gap else None)
    settled = row is not None and _agrees(folded, observations, row)
    if row is not None and settled:
        folded = _settled(folded, row)
        effects = _coded(effects, folded)
    return Evaluation(folded, effects, proven=proven, settled=settled, unnamed=_unnamed(effects))


def evaluate_row(history: History, row: Row, seen_at: int, published: int) -> Evaluation:
    """Fold a row itself, where the server has no event log: what lies between two lists stays unknown.

    Args:
        history: what was counted so far.
        row: the pipeline as listed now.
        seen_at: the instant of that list.
        published: the as-of instant with which the history's time was last published; both in microseconds by
            Feldera's clock.
    """
    observation = Observation.from_row(row, seen_at, after=history.log_position.newest)
    folded, effects = fold(history, (observation,), published)
    return Evaluation(_settled(folded, row), effects, proven=True, settled=True, unnamed=())


def _purged(history: History, events: Sequence[Observation], row: Row | None, confirmed_until: int) -> bool:
    """Tell whether events after those known may have been purged.

    Heartbeats are deliberately not read, so that nothing known being retained proves nothing: the log is complete
    when it reaches back to what was folded, to the last poll at which nothing had moved, or to the creation.
    """
    if len(events) < log_position.FEWEST_RETAINED:
        return False
    if log_position.is_below(history.log_position, events):
        # A clock stepped back: no instant tells how far back the log must reach.
        return True
    oldest = min(event.at for event in events)
    created = micros(row.created_at) if row is not None else 0
    return oldest > max(created, history.log_position.newest, confirmed_until - LATE)


def _agrees(history: History, events: Sequence[Observation], row: Row) -> bool:
    """Tell whether the log, as folded, reaches the row: the same statuses, and an event for each instant of the row."""
    now = history.statuses
    same = (
        now.resources == row.deployment_resources_status
        and now.runtime == row.deployment_runtime_status
        and now.program == row.program_status
        and now.storage == row.storage_status
        and history.errors.present == (row.deployment_error is not None)
    )
    told = {event.at for event in events}
    oldest = min(told, default=_NEVER)
    return same and all(at in told or at < oldest for at in instants(row))


def _settled(history: History, row: Row) -> History:
    errors = history.errors
    if row.deployment_error is not None:
        errors = msgspec.structs.replace(errors, code=row.deployment_error.error_code)
    reached = cursor(row)
    if reached == history.cursor and errors == history.errors:
        return history
    return msgspec.structs.replace(history, cursor=reached, errors=errors)


def _coded(effects: tuple[Effect, ...], history: History) -> tuple[Effect, ...]:
    """Give the last error that appeared the row's code, if it is the one present."""
    appeared = {index: effect for index, effect in enumerate(effects) if isinstance(effect, ErrorAppeared)}
    if not history.errors.present or not appeared:
        return effects
    last = max(appeared)
    coded = replace(appeared[last], code=history.errors.code)
    return (*effects[:last], coded, *effects[last + 1 :])


def _named(effect: Effect, codes: Mapping[str, str]) -> Effect:
    if isinstance(effect, ErrorAppeared) and effect.code is None and effect.event_id is not None:
        return replace(effect, code=codes.get(effect.event_id))
    return effect


def _unnamed(effects: Sequence[Effect]) -> tuple[str, ...]:
    return tuple(
        effect.event_id
        for effect in effects
        if isinstance(effect, ErrorAppeared) and effect.code is None and effect.event_id is not None
    )
