"""What the conditions of an instance's problems need from earlier lists of pipelines."""

from collections.abc import Mapping
from typing import Final

import msgspec

from feldera_exporter.feldera.platform import Platform
from feldera_exporter.micros import SECOND, Micros

KEPT: Final = 3600 * SECOND
"""How long earlier numbers of pipelines are kept."""

_INTERRUPTION: Final = 120 * SECOND
"""A longer time between two lists of pipelines counts as an interruption."""

_SMALL_FLEET: Final = 9
"""A fleet of at most so many pipelines may lose half of them without a problem."""


class EarlierLists(msgspec.Struct, frozen=True, array_like=True):
    """The state of an instance up to its last list.

    Attributes:
        sizes: when the number of pipelines changed and to what, within the last hour, the oldest first.
        dropped_at: since when fewer than half of the pipelines of the last hour are left; None while that is not so.
        unlicensed_at: since when the license is not confirmed; None while it is.
        answering_at: since when the list of pipelines has been read without an interruption.
        answered_at: when the list was last read.
        unhealthy_at: since when each unhealthy service has been unhealthy, by name.
    """

    sizes: tuple[tuple[Micros, int], ...] = ()
    dropped_at: Micros | None = None
    unlicensed_at: Micros | None = None
    answering_at: Micros = 0
    answered_at: Micros = 0
    unhealthy_at: Mapping[str, Micros] = {}


def next_state(previous: EarlierLists, size: int, platform: Platform, now: Micros) -> EarlierLists:
    """Return the state after another list, of `size` pipelines, was read."""
    sizes = _sizes(previous.sizes, size, now)
    most = max(number for _, number in sizes)
    dropped = most > _SMALL_FLEET and size < most / 2
    return EarlierLists(
        sizes=sizes,
        dropped_at=(previous.dropped_at or now) if dropped else None,
        unlicensed_at=_unlicensed_at(previous, platform, now),
        answering_at=now if now - previous.answered_at > _INTERRUPTION else previous.answering_at,
        answered_at=now,
        unhealthy_at=_unhealthy_at(previous, platform),
    )


def _unlicensed_at(previous: EarlierLists, platform: Platform, now: Micros) -> Micros | None:
    if platform.license is None:
        return previous.unlicensed_at
    return None if platform.license.valid else previous.unlicensed_at or now


def _unhealthy_at(previous: EarlierLists, platform: Platform) -> Mapping[str, Micros]:
    """Return since when services have been unhealthy; the previous value while Feldera reports no services.

    Before v0.336 Feldera's `unchanged_since` is the time of the last check, so the earliest one counts.
    """
    if not platform.services:
        return previous.unhealthy_at
    return {
        name: min(previous.unhealthy_at.get(name, since), since)
        for name, service in platform.services.items()
        if not service.healthy
        for since in (service.unchanged_since or service.checked_at,)
    }


def _sizes(sizes: tuple[tuple[Micros, int], ...], size: int, now: Micros) -> tuple[tuple[Micros, int], ...]:
    """Return the sizes of the last hour with the present one, and the size that held when that hour began.

    A size from before the clock stepped back counts from now on.
    """
    sizes = tuple((min(at, now), number) for at, number in sizes)
    if not sizes or sizes[-1][1] != size:
        sizes = (*sizes, (now, size))
    while len(sizes) > 1 and sizes[1][0] <= now - KEPT:
        sizes = sizes[1:]
    return sizes
