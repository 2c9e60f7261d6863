"""What an instance's problems remember from one evaluation to the next: how it was before."""

from typing import Final

import msgspec

MICROSECONDS: Final = 1_000_000

KEPT: Final = 3600 * MICROSECONDS
"""Microseconds for which it is kept how many pipelines there were."""

_INTERRUPTED: Final = 120 * MICROSECONDS
"""Microseconds between two lists of pipelines that count as an interruption."""


class Memory(msgspec.Struct, frozen=True, array_like=True):
    """How an instance was; instants are microseconds by Feldera's clock.

    Attributes:
        sizes: from when on there were how many pipelines, within the last hour, the oldest first.
        dropped_at: since when there are less than half of what there was within the hour; None while there are not.
        unlicensed_at: since when the license is not confirmed; None while it is.
        answering_at: since when the list of pipelines has been read without an interruption.
        answered_at: when it was last read.
    """

    sizes: tuple[tuple[int, int], ...] = ()
    dropped_at: int | None = None
    unlicensed_at: int | None = None
    answering_at: int = 0
    answered_at: int = 0

    @property
    def most(self) -> int:
        """The most pipelines that there were within the last hour."""
        return max((size for _, size in self.sizes), default=0)


def remembered(memory: Memory, size: int, *, licensed: bool | None, now: int) -> Memory:
    """Return the memory after another list of pipelines.

    Args:
        memory: up to the list before.
        size: how many pipelines there are.
        licensed: whether the license is confirmed; None where nothing is known of it.
        now: when the list was read, microseconds by Feldera's clock.
    """
    sizes = _sizes(memory.sizes, size, now)
    most = max(each for _, each in sizes)
    dropped = most > _SMALL and size < most / 2
    return Memory(
        sizes=sizes,
        dropped_at=(memory.dropped_at or now) if dropped else None,
        unlicensed_at=(memory.unlicensed_at or now) if licensed is False else None,
        answering_at=now if now - memory.answered_at > _INTERRUPTED else memory.answering_at,
        answered_at=now,
    )


_SMALL: Final = 9
"""Pipelines of which half may go without a word."""


def _sizes(sizes: tuple[tuple[int, int], ...], size: int, now: int) -> tuple[tuple[int, int], ...]:
    """Return the sizes with the present one; the one that held when the hour began is kept."""
    if not sizes or sizes[-1][1] != size:
        sizes = (*sizes, (now, size))
    newer = [place for place, (at, _) in enumerate(sizes) if at > now - KEPT]
    first = max(0, (newer[0] if newer else len(sizes)) - 1)
    return sizes[first:]
