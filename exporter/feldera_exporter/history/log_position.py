"""The position in a pipeline's event log up to which it is folded: which events of an answer are new."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Final

import msgspec

from feldera_exporter.history.observation import Observation
from feldera_exporter.micros import Micros

LATE_COMMIT: Final = 60_000_000
"""Microseconds by which a new event can be older than the newest folded one while the clock is right: Feldera's lock
timeout is 10 s (pipeline-manager `db/transaction.rs`), plus the transaction itself."""

MOST_KNOWN: Final = 800
"""How many folded events are remembered at least: Feldera retains 720 (pipeline-manager `config.rs`)."""

_SIZE: Final = 8
"""Bytes of a digest. With 4 bytes, one new event in some millions would be taken for a known one."""


class LogPosition(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Up to where one pipeline's log is folded; instants are by Feldera's clock.

    Attributes:
        newest: the newest instant of the last answer, or of the row that the watch began with.
        listed_at: the instant of the list that the watch began with.
        known: a digest of each event of the last answer, then of earlier ones up to `MOST_KNOWN`; empty while no event
            was read.
    """

    newest: Micros
    listed_at: Micros
    known: bytes = b""


def has_known_event(position: LogPosition, events: Iterable[Observation]) -> bool:
    """Return whether any event was folded before: that proves that the answer is about this pipeline."""
    known = _digests(position)
    return any(_digest(event) in known for event in events)


def new_events(position: LogPosition, events: Iterable[Observation]) -> list[Observation]:
    """Return the events that were not folded before, whatever their time: clocks step back."""
    known = _digests(position)
    return [event for event in events if _digest(event) not in known]


def is_displaced(position: LogPosition, at: Micros) -> bool:
    """Return whether a new event of an instant is older than a late commit can be: Feldera's clock stepped back."""
    return at < position.newest - LATE_COMMIT


def is_order_uncertain(
    position: LogPosition, new: Sequence[Observation], now: Micros, *, stepped_back: bool
) -> bool:
    """Return whether a step of Feldera's clock may lie between new events, so that their times do not give their order.

    Args:
        position: the position before these events.
        new: the events.
        now: the instant of the last list, by Feldera's clock.
        stepped_back: whether that clock is known to have stepped back since the pipeline's log was last complete.
    """
    if len(new) < 2:
        return False
    displaced = [is_displaced(position, event.at) for event in new] if position.known else [False]
    future = [event.at > now + LATE_COMMIT for event in new]
    return stepped_back or any(displaced) > all(displaced) or any(future) > all(future)


def advanced(position: LogPosition, observations: Sequence[Observation]) -> LogPosition:
    """Return the position after an answer's events, or a row, were folded."""
    newest = max(observation.at for observation in observations)
    events = [observation for observation in observations if observation.event_id is not None]
    if not events:
        return msgspec.structs.replace(position, newest=max(position.newest, newest))
    # Sorted, so that the same events in another order give the same value.
    digests = dict.fromkeys((*sorted(map(_digest, events)), *_digests(position)))
    return LogPosition(
        newest=newest,
        listed_at=position.listed_at,
        known=b"".join([*digests][: max(MOST_KNOWN, len(events))]),
    )


def events_before_watch(position: LogPosition, log: Sequence[Observation], matching: Sequence[bool]) -> int:
    """Return how many of a log's events lie at or before the row with which the watch began.

    A row is an exact position in the log: each `*_since` is the `recorded_at` of an event, and between two changes
    of those only a dismissal and the clearing of the storage can happen, neither of which comes back. So the place
    is the first event, from the row's newest instant on, that says what the row says.

    Args:
        position: the position before any event was read.
        log: the answer's events in their order.
        matching: for each of them, whether it says what the row said.
    """
    exact = [index for index, event in enumerate(log) if event.at == position.newest]
    start = exact[-1] if exact else sum(event.at < position.newest for event in log)
    for index in range(start, len(log)):
        # Without the row's own event, later ones may return to the same statuses.
        if matching[index] and (exact or log[index].at <= position.listed_at):
            return index + 1
    return start + 1 if exact else start


def _digest(event: Observation) -> bytes:
    return blake2b((event.event_id or "").encode("utf-8", "replace"), digest_size=_SIZE).digest()


def _digests(position: LogPosition) -> dict[bytes, None]:
    known = position.known
    return dict.fromkeys(known[start : start + _SIZE] for start in range(0, len(known), _SIZE))
