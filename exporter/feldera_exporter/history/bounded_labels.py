"""The naming: by which label a status is counted, so that a server that makes up statuses cannot make up series."""

from collections.abc import Container, Iterable
from typing import Final

OTHER: Final = "other"
"""The label of everything that may not have a label of its own."""

MOST: Final = 12
"""How many unknown statuses of a pipeline and dimension have labels of their own: Feldera adds one in a few months."""


def label(status: str, known: Container[str], named: Iterable[str]) -> str:
    """Return the label of a status.

    Args:
        status: the status.
        known: the statuses that always have their own name.
        named: the labels in use so far.
    """
    if status in known:
        return status
    unknown = {each for each in named if each not in known and each != OTHER}
    return status if status in unknown or len(unknown) < MOST else OTHER
