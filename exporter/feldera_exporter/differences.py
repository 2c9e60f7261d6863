"""What is another object than before: the question that keeps the cost of a poll in step with change.

Values are never changed, only replaced, and whoever makes one anew keeps the old object where it says the same. So
identity tells, at a few nanoseconds a pair, what must be looked at.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import compress, count
from operator import is_not
from typing import TypeVar

Key = TypeVar("Key")


def places(before: Sequence[object], after: Sequence[object]) -> Iterator[int]:
    """Yield where two sequences of the same length hold different objects."""
    return compress(count(), map(is_not, before, after))


def replaced(before: Mapping[Key, object], after: Mapping[Key, object]) -> list[Key] | None:
    """Return the keys under which another object is than before; None where the keys or their order are others."""
    if before is after:
        return []
    if len(before) != len(after) or tuple(before) != tuple(after):
        return None
    return list(compress(after, map(is_not, before.values(), after.values())))
