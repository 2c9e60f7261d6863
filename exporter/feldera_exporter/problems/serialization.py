"""The part of an instance's problems that is stored across a restart, as bytes."""

from typing import Final

import msgspec

from feldera_exporter.micros import Micros
from feldera_exporter.problems.earlier_lists import EarlierLists
from feldera_exporter.problems.evaluate import Ended, Evaluated, Occurrence, Problems
from feldera_exporter.problems.table import BY_ALERT


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    present: tuple[tuple[Occurrence, Micros], ...]
    ended: tuple[tuple[Occurrence, Ended], ...]
    previous_state: EarlierLists


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Stored).decode


def encoded(problems: Problems) -> bytes:
    """Return the problems as bytes (MessagePack)."""
    present, ended = tuple(problems.present.items()), tuple(problems.ended.items())
    return _encode(_Stored(present, ended, problems.previous_state))


def decoded(content: bytes | None) -> Problems:
    """Return the stored problems, or no problems for None. Pipelines with problems are evaluated with the first list.

    Problems that this version does not know are left out: another version may have stored them.

    Raises:
        msgspec.DecodeError: the bytes are not what `encoded` returns.
    """
    if content is None:
        return Problems()
    stored = _decode(content)
    present = {occurrence: at for occurrence, at in stored.present if occurrence.alert in BY_ALERT}
    ended = {occurrence: ending for occurrence, ending in stored.ended if occurrence.alert in BY_ALERT}
    by_pipeline: dict[str, dict[Occurrence, Micros]] = {}
    for occurrence, at in present.items():
        if occurrence.pipeline_id:
            by_pipeline.setdefault(occurrence.pipeline_id, {})[occurrence] = at
    return Problems(
        present=present,
        ended=ended,
        previous_state=stored.previous_state,
        evaluated={
            pipeline_id: Evaluated(occurrences, None, 0) for pipeline_id, occurrences in by_pipeline.items()
        },
    )


def same(before: Problems, after: Problems) -> bool:
    """Return whether both are stored the same, except for when the list was last read."""
    state = msgspec.structs.replace(after.previous_state, answered_at=before.previous_state.answered_at)
    return before.present is after.present and before.ended is after.ended and state == before.previous_state
