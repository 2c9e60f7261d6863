"""What an instance's problems remember from one evaluation to the next: how it was before."""

from collections.abc import Mapping
from typing import Final

import msgspec

from feldera_exporter.feldera.platform import Platform

MICROSECONDS: Final = 1_000_000

KEPT: Final = 3600 * MICROSECONDS
"""Microseconds for which it is kept how many pipelines there were."""

_INTERRUPTED: Final = 120 * MICROSECONDS
"""Microseconds between two lists of pipelines that count as an interruption."""


class PreviousState(msgspec.Struct, frozen=True, array_like=True):
    """How an instance was; instants are microseconds by Feldera's clock.

    Attributes:
        sizes: from when on there were how many pipelines, within the last hour, the oldest first.
        dropped_at: since when there are less than half of what there was within the hour; None while there are not.
        unlicensed_at: since when the license is not confirmed; None while it is.
        unhealthy_at: since when services have been unhealthy, by name.
        answering_at: since when the list of pipelines has been read without an interruption.
        answered_at: when it was last read.
    """

    sizes: tuple[tuple[int, int], ...] = ()
    dropped_at: int | None = None
    unlicensed_at: int | None = None
    answering_at: int = 0
    answered_at: int = 0
    unhealthy_at: Mapping[str, int] = {}


def next_state(memory: PreviousState, size: int, platform: Platform, now: int) -> PreviousState:
    """Return the memory after another list of pipelines.

    Args:
        memory: up to the list before.
        size: how many pipelines there are.
        platform: what Feldera says of itself.
        now: when the list was read, microseconds by Feldera's clock.
    """
    sizes = _sizes(memory.sizes, size, now)
    most = max(each for _, each in sizes)
    dropped = most > _SMALL and size < most / 2
    return PreviousState(
        sizes=sizes,
        dropped_at=(memory.dropped_at or now) if dropped else None,
        unlicensed_at=_unlicensed_at(memory, platform, now),
        answering_at=now if now - memory.answered_at > _INTERRUPTED else memory.answering_at,
        answered_at=now,
        unhealthy_at=_unhealthy_at(memory, platform),
    )


def _unlicensed_at(memory: PreviousState, platform: Platform, now: int) -> int | None:
    if platform.license is None:
        return memory.unlicensed_at
    return None if platform.license.valid else memory.unlicensed_at or now


def _unhealthy_at(memory: PreviousState, platform: Platform) -> Mapping[str, int]:
    """Return since when services have been unhealthy; those that are not told of stay as they were.

    Before v0.336 `unchanged_since` is the time of the last check, whatever that found.
    """
    if not platform.services:
        return memory.unhealthy_at
    return {
        name: min(memory.unhealthy_at.get(name, since), since)
        for name, service in platform.services.items()
        if not service.healthy
        for since in (service.unchanged_since or service.checked_at,)
    }


_SMALL: Final = 9
"""Pipelines of which half may go without a word."""


def _sizes(sizes: tuple[tuple[int, int], ...], size: int, now: int) -> tuple[tuple[int, int], ...]:
    """Return the sizes with the present one; the one that held when the hour began is kept."""
    if not sizes or sizes[-1][1] != size:
        sizes = (*sizes, (now, size))
    newer = [place for place, (at, _) in enumerate(sizes) if at > now - KEPT]
    first = max(0, (newer[0] if newer else len(sizes)) - 1)
    return sizes[first:]
