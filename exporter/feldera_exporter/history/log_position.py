"""The position in a pipeline's event log up to which it is folded: which events of an answer are new."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from feldera_exporter.history.observation import Observation

LOOK_BACK: Final = 60_000_000
"""How far behind the newest folded event one may still turn up: Feldera's lock timeout is 10 s
(pipeline-manager `db/transaction.rs`), plus the transaction itself."""


class LogPosition(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Where the fold stands in one pipeline's log; instants are microseconds by Feldera's clock.

    Attributes:
        newest: the newest instant folded, or of the row the watch began with.
        sighted: the instant of the list that the watch began with.
        watermark: the greatest event id folded, None while no event was read.
        recent: the events folded of the last minute before `newest`: `recorded_at` by id.
    """

    newest: int
    sighted: int
    watermark: str | None = None
    recent: Mapping[str, int] = {}


def has_known_event(position: LogPosition, observations: Iterable[Observation]) -> bool:
    """Tell whether an answer holds an event that was folded before, which proves whose answer it is."""
    known = {position.watermark, *position.recent} - {None}
    return any(observation.event_id in known for observation in observations)


def new_events(position: LogPosition, observations: Iterable[Observation]) -> list[Observation]:
    """Return the events that were not folded before, once a watermark stands.

    Either the id is greater than every folded one, or the event turned up late. Lateness is judged by `recorded_at`,
    the database's clock, because ids are made by the clocks of several processes.
    """
    late = position.newest - LOOK_BACK
    last = position.watermark or ""
    return [
        o
        for o in observations
        if o.event_id not in position.recent and ((o.event_id or "") > last or o.at >= late)
    ]


def advanced(position: LogPosition, observations: Sequence[Observation]) -> LogPosition:
    """Return the position after every observation of an answer was folded."""
    newest = max((position.newest, *(observation.at for observation in observations)))
    seen = {o.event_id: o.at for o in observations if o.event_id is not None}
    if not seen:
        return msgspec.structs.replace(position, newest=newest)
    return LogPosition(
        newest=newest,
        sighted=position.sighted,
        watermark=max((*seen, position.watermark or "")),
        recent={one: at for one, at in {**position.recent, **seen}.items() if at >= newest - LOOK_BACK},
    )


def split(position: LogPosition, log: Sequence[Observation], matching: Sequence[bool]) -> int:
    """Return how many of a log's events lie at or before the row with which the watch began.

    A row is an exact cursor into the log: each `*_since` is the `recorded_at` of an event, and between two changes
    of those only a dismissal and the clearing of the storage can happen, neither of which comes back. So the place
    is the first event, from the row's newest instant on, that says what the row says.

    Args:
        position: the position before any event was read.
        log: the answer's events in their order.
        matching: for each of them, whether it says what the row said.
    """
    exact = [index for index, observation in enumerate(log) if observation.at == position.newest]
    start = exact[-1] if exact else sum(observation.at < position.newest for observation in log)
    for index in range(start, len(log)):
        # Without the row's own event what follows the first sight may return to the same statuses: not taken.
        if matching[index] and (exact or log[index].at <= position.sighted):
            return index + 1
    return start + 1 if exact else start
