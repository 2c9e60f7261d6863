"""What of an instance's problems is kept across a restart, as bytes."""

from typing import Final

import msgspec

from feldera_exporter.problems.evaluate import Ended, Evaluated, Occurrence, Problems
from feldera_exporter.problems.previous_state import PreviousState


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    present: tuple[tuple[Occurrence, int], ...]
    ended: tuple[tuple[Occurrence, Ended], ...]
    memory: PreviousState


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Kept).decode


def encoded(problems: Problems) -> bytes:
    """Return what is kept of the problems."""
    return _encode(_Kept(tuple(problems.present.items()), tuple(problems.ended.items()), problems.memory))


def decoded(kept: bytes | None) -> Problems:
    """Return the problems as they were kept; each pipeline that has some is looked at with the first list.

    Raises:
        msgspec.DecodeError: these bytes are not what `encoded` makes.
    """
    if kept is None:
        return Problems()
    stored = _decode(kept)
    present = dict(stored.present)
    by_pipeline: dict[str, dict[Occurrence, int]] = {}
    for occurrence, at in present.items():
        if occurrence.pipeline_id:
            by_pipeline.setdefault(occurrence.pipeline_id, {})[occurrence] = at
    return Problems(
        present=present,
        ended=dict(stored.ended),
        memory=stored.memory,
        evaluated={key: Evaluated(found, None, 0) for key, found in by_pipeline.items()},
    )


def same(before: Problems, after: Problems) -> bool:
    """Return whether the same is kept of both, but for when the list was last read."""
    memory = msgspec.structs.replace(after.memory, answered_at=before.memory.answered_at)
    return before.present is after.present and before.ended is after.ended and memory == before.memory
