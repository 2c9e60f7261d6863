"""Finds what changed between two polls by comparing object identities.

The exporter's values are immutable. A value that did not change stays the same object from poll to poll. So comparing
identities, a few nanoseconds each, finds what must be computed again.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import compress, count
from operator import is_not
from typing import TypeVar

Key = TypeVar("Key")


def changed_indices(before: Sequence[object], after: Sequence[object]) -> Iterator[int]:
    """Yield the indices at which two sequences of the same length hold different objects."""
    return compress(count(), map(is_not, before, after))


def changed_keys(before: Mapping[Key, object], after: Mapping[Key, object]) -> list[Key] | None:
    """Return the keys whose values are different objects; None where the keys themselves or their order differ."""
    if before is after:
        return []
    if len(before) != len(after) or tuple(before) != tuple(after):
        return None
    return list(compress(after, map(is_not, before.values(), after.values())))
