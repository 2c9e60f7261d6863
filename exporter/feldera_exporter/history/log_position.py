"""The position in a pipeline's event log up to which it is folded: which events of an answer are new."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from struct import iter_unpack, pack
from typing import Final

import msgspec

from feldera_exporter.history.observation import Observation

LOOK_BACK: Final = 60_000_000
"""How far behind the newest folded event one may still turn up: Feldera's lock timeout is 10 s
(pipeline-manager `db/transaction.rs`), plus the transaction itself."""

MOST_KNOWN: Final = 800
"""How many folded events are kept as digests at least: Feldera retains 720 (pipeline-manager `config.rs`)."""

FEWEST_RETAINED: Final = 20
"""A log shorter than this was not purged, it began late: pipelines from before v0.292 that no user touched since have
no events. Feldera retains 720 (pipeline-manager `config.rs`); no operator would retain fewer than these."""


class LogPosition(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Where the fold stands in one pipeline's log; instants are microseconds by Feldera's clock.

    Attributes:
        newest: the newest instant folded, or of the row the watch began with.
        sighted: the instant of the list that the watch began with.
        watermark: the greatest event id folded, None while no event was read.
        recent: the events folded of the last minute before `newest`: `recorded_at` by id.
        known: eight bytes of each event of the last answer, and of earlier ones as far as `MOST_KNOWN` allows; empty
            while no event was read, and in what an older exporter stored.
    """

    newest: int
    sighted: int
    watermark: str | None = None
    recent: Mapping[str, int] = {}
    known: bytes = b""


def has_known_event(position: LogPosition, observations: Iterable[Observation]) -> bool:
    """Tell whether an answer holds an event that was folded before, which proves whose answer it is."""
    known = {position.watermark, *position.recent} - {None}
    return any(observation.event_id in known for observation in observations)


def new_events(position: LogPosition, observations: Iterable[Observation]) -> list[Observation]:
    """Return the events that were not folded before, once a watermark stands.

    An event that is not known is new, whatever its clock says: clocks step back. Where a store of an older exporter
    does not say which events are known, an event is new if its id is greater than every folded one or it turned up
    late. Lateness is judged by `recorded_at`, the database's clock, because several processes' clocks make ids.
    """
    known = _digests(position.known)
    last = position.watermark or ""
    return [
        o
        for o in observations
        if o.event_id not in position.recent
        and (
            _digest(o.event_id or "") not in known
            if known
            else (o.event_id or "") > last or not is_displaced(position, o)
        )
    ]


def is_displaced(position: LogPosition, observation: Observation) -> bool:
    """Tell whether an event is older than a late commit can be: if it is new, a clock stepped back."""
    return observation.at < position.newest - LOOK_BACK


def is_unplaced(
    position: LogPosition, new: Sequence[Observation], observations: Sequence[Observation]
) -> bool:
    """Tell whether a clock stepped back so that the order of new events, or whether others were purged, is a guess.

    The order is one where the clock stepped between the new events. Others may have been purged where a long log
    begins with a new event, though not all of it is new.
    """
    displaced = sum(is_displaced(position, observation) for observation in new)
    if not displaced:
        return False
    oldest = min(observation.at for observation in observations)
    purged = len(observations) >= FEWEST_RETAINED and any(observation.at == oldest for observation in new)
    return purged or displaced < len(new)


def advanced(position: LogPosition, observations: Sequence[Observation]) -> LogPosition:
    """Return the position after every observation of an answer was folded.

    It comes down where a whole answer lies below it: the events from a clock that was ahead are gone.
    """
    newest = max(observation.at for observation in observations)
    seen = {o.event_id: o.at for o in observations if o.event_id is not None}
    if not seen:
        return msgspec.structs.replace(position, newest=max(position.newest, newest))
    if not is_below(position, observations):
        newest = max(position.newest, newest)
    return LogPosition(
        newest=newest,
        sighted=position.sighted,
        watermark=max((*seen, position.watermark or "")),
        recent={one: at for one, at in {**position.recent, **seen}.items() if at >= newest - LOOK_BACK},
        known=_with(position.known, seen),
    )


def is_below(position: LogPosition, observations: Iterable[Observation]) -> bool:
    """Tell whether a whole answer is older than what was folded last."""
    return all(is_displaced(position, observation) for observation in observations)


def _digest(event_id: str) -> int:
    """Return 64 bits: with fewer, an event would now and then be taken for a known one."""
    return int.from_bytes(blake2b(event_id.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def _digests(known: bytes) -> frozenset[int]:
    return frozenset(digest for (digest,) in iter_unpack("<Q", known))


def _with(known: bytes, event_ids: Iterable[str]) -> bytes:
    """Return the digests of an answer's events, and earlier ones behind them as far as there is room."""
    digests = sorted(map(_digest, event_ids))
    here = frozenset(digests)
    room = max(0, MOST_KNOWN - len(digests))
    digests += [digest for (digest,) in iter_unpack("<Q", known) if digest not in here][:room]
    return pack(f"<{len(digests)}Q", *digests)


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
