"""How many different sets of label values a server may give to one thing, so that it cannot make any number of series."""

from collections.abc import Hashable
from typing import Final

OTHER: Final = "other"
"""The label of all further values."""

MOST: Final = 50
"""How many sets one pipeline or instance may have while the exporter runs: Feldera has a new version each week."""

Variants = frozenset[int]
"""The hashes of the sets that one thing has had so far."""

NONE: Final[Variants] = frozenset()


def with_variant(variants: Variants, values: Hashable) -> Variants | None:
    """Return the variants with one more set of values; None if that would be too many."""
    variant = hash(values)
    if variant in variants:
        return variants
    return variants | {variant} if len(variants) < MOST else None
