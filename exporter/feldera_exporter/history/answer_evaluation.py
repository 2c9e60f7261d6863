"""The evaluation of an answer of the events endpoint: whether it is about this pipeline and complete, and what it adds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import msgspec

from feldera_exporter.feldera.wire import Event, Row
from feldera_exporter.history import log_position
from feldera_exporter.history.effects import Effect, ErrorAppeared, Gap
from feldera_exporter.history.fold import fold, new_events
from feldera_exporter.history.history import History
from feldera_exporter.history.observation import Observation, instants
from feldera_exporter.history.row_digest import row_digest
from feldera_exporter.micros import NEVER, Micros, from_datetime

UNKNOWN_CODE: Final = "unknown"
"""The code of an error whose event was purged before it could be asked for, or cannot be read."""

FEWEST_RETAINED: Final = 20
"""A log shorter than this was not purged, it began late: pipelines from before v0.292 that no user touched since have
no events. Feldera retains 720 (pipeline-manager `config.rs`); no operator would retain fewer than these."""

LOCK_TIMEOUT: Final = 10_000_000
"""Feldera's lock timeout in microseconds: a transaction may become visible that much after its `recorded_at`."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an answer adds.

    Attributes:
        history: the pipeline's history with the answer folded in.
        effects: what the instance counts.
        proven: whether a known event proves that the answer is about this pipeline. Otherwise it must be evaluated
            again once a list that was read after it still maps the name to the id.
        settled: whether the history agrees with the row; otherwise the log must be read again after a later list.
        unnamed: the events of errors whose code must be asked for before the evaluation is applied.
    """

    history: History
    effects: tuple[Effect, ...]
    proven: bool
    settled: bool
    unnamed: tuple[str, ...]

    def named(self, codes: Mapping[str, str]) -> Self:
        """Return the evaluation with the codes from `…/events/{id}?selector=all`.

        Args:
            codes: the `error_code` by event id; `UNKNOWN_CODE` where the event is gone or cannot be read.
        """
        effects = _with_codes(self.effects, codes)
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
    history: History,
    log: Sequence[Event],
    row: Row | None,
    confirmed_until: Micros,
    published: Micros,
    now: Micros = NEVER,
    *,
    stepped_back: bool = False,
) -> Evaluation:
    """Fold an answer and compare it with the pipeline's row.

    Args:
        history: what was counted so far.
        log: the whole answer.
        row: the pipeline as listed, before or after the answer was read; None where that could not be read.
        confirmed_until: up to when the history is known to be complete (`Ledger.pending`).
        published: the as-of instant with which the history's time was last published.
        now: the instant of the last list; all by Feldera's clock.
        stepped_back: whether that clock stepped back since the history was last known to be complete.
    """
    observations = [
        Observation.from_event(event) for event in {event.event_id: event for event in log}.values()
    ]
    position = history.log_position
    proven = log_position.has_known_event(position, observations)
    gap = _purged(history, observations, row, confirmed_until, stepped_back=stepped_back)
    folded, effects = fold(
        history,
        observations,
        published,
        gap_since=max(confirmed_until, position.newest) if gap else None,
        now=now,
        stepped_back=stepped_back,
    )
    settled = False
    if row is not None:
        awaited, missed = _compare(history, folded, observations, row, proven=proven)
        if missed and not gap:
            further: tuple[Effect, ...]
            if _has_statuses(folded, row) or not new_events(history, observations).events:
                # Go on from the row.
                listed = Observation.from_row(row, max(confirmed_until, position.newest))
                folded, further = fold(folded, (listed,), published, gap_since=confirmed_until)
            else:
                # The newest events are newer than the row.
                folded = msgspec.structs.replace(folded, gaps=folded.gaps + 1)
                further = (Gap(confirmed_until),)
            effects += further
        settled = not awaited and _has_statuses(folded, row)
        found = {*history.row_instants, *(event.at for event in observations)}
        folded = _with_instants(folded, [at for at in instants(row) if settled or missed or at in found])
        if settled:
            folded = _settled(folded, row)
            appeared = [effect for effect in effects if isinstance(effect, ErrorAppeared)]
            if folded.errors.present and appeared and appeared[-1].event_id is not None:
                # The last error that appeared is the row's.
                effects = _with_codes(effects, {appeared[-1].event_id: folded.errors.code})
    return Evaluation(folded, effects, proven, settled, _unnamed(effects))


def evaluate_row(history: History, row: Row, listed_at: Micros, published: Micros) -> Evaluation:
    """Fold a row itself, where the server has no event log: what lies between two lists stays unknown.

    Args:
        history: what was counted so far.
        row: the pipeline as listed now.
        listed_at: the instant of that list.
        published: the as-of instant with which the history's time was last published; both in microseconds by
            Feldera's clock.
    """
    observation = Observation.from_row(row, listed_at, after=history.log_position.newest)
    folded, effects = fold(history, (observation,), published)
    folded = _with_instants(folded, instants(row))
    return Evaluation(_settled(folded, row), effects, proven=True, settled=True, unnamed=())


def _purged(
    history: History,
    events: Sequence[Observation],
    row: Row | None,
    confirmed_until: Micros,
    *,
    stepped_back: bool,
) -> bool:
    """Return whether events that were never read may have been purged: Feldera purges the oldest ones.

    Heartbeats are deliberately not read, so that nothing known being retained proves nothing: the log is complete
    when it reaches back to what was folded, to the last poll at which nothing had moved, or to the creation. Where the
    clock stepped back, no instant says how far back the log must reach: then its oldest event must be known.
    """
    if len(events) < FEWEST_RETAINED:
        return False
    position = history.log_position
    oldest = min(events, key=lambda event: (event.at, event.event_id or ""))
    at = oldest.at
    if row is not None and at <= from_datetime(row.created_at):
        return False
    if log_position.has_known_event(position, (oldest,)):
        return False
    if stepped_back or (position.known and log_position.is_displaced(position, at)):
        return True
    return at > max(position.newest, confirmed_until - LOCK_TIMEOUT)


def _compare(
    history: History,
    folded: History,
    events: Sequence[Observation],
    row: Row,
    *,
    proven: bool,
) -> tuple[bool, bool]:
    """Return whether an event of the row is still to come, and whether one was missed or is in the wrong place.

    Each instant of the row is the time of an event (`instants`). One that the row did not have when the history last
    agreed with it is the time of a new event.
    """
    at = {event.at for event in events}
    instants_of_new = set(instants(row)).difference(history.row_instants)
    absent = instants_of_new - at
    if not at or (absent and max(absent) > min(at)):
        return bool(absent), False
    known = bool(history.log_position.known)
    if not absent and (_has_statuses(folded, row) if known else not instants_of_new):
        return False, False
    if new_events(history, events).events:
        return False, bool(absent)
    # An answer with a known event was read after the row, and so has all that the row shows.
    return False, bool(absent) or proven or not known


def _has_statuses(history: History, row: Row) -> bool:
    now = history.statuses
    return (
        now.resources == row.deployment_resources_status
        and now.runtime == row.deployment_runtime_status
        and now.program == row.program_status
        and now.storage == row.storage_status
        and history.errors.present == (row.deployment_error is not None)
    )


def _with_instants(history: History, found: Sequence[int]) -> History:
    if history.row_instants == tuple(found):
        return history
    return msgspec.structs.replace(history, row_instants=tuple(found))


def _settled(history: History, row: Row) -> History:
    errors = history.errors
    if row.deployment_error is not None:
        errors = msgspec.structs.replace(errors, code=row.deployment_error.error_code)
    reached = row_digest(row)
    if reached == history.row_digest and errors == history.errors:
        return history
    return msgspec.structs.replace(history, row_digest=reached, errors=errors)


def _with_codes(effects: Sequence[Effect], codes: Mapping[str, str | None]) -> tuple[Effect, ...]:
    """Return effects with the codes of errors, by event id."""
    return tuple(
        replace(effect, code=codes[effect.event_id])
        if isinstance(effect, ErrorAppeared) and effect.event_id is not None and effect.event_id in codes
        else effect
        for effect in effects
    )


def _unnamed(effects: Sequence[Effect]) -> tuple[str, ...]:
    return tuple(
        effect.event_id
        for effect in effects
        if isinstance(effect, ErrorAppeared) and effect.code is None and effect.event_id is not None
    )
