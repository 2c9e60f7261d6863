"""The labels of statuses, bounded in number, so that a server cannot make any number of series."""

from collections.abc import Container, Iterable
from typing import Final

from feldera_exporter.feldera.label_variants import OTHER

MOST: Final = 12
"""How many unknown statuses of a pipeline and dimension are labels: Feldera adds one in a few months."""


def label(status: str, known: Container[str], named: Iterable[str]) -> str:
    """Return the label of a status; `known` are the statuses that always are labels, `named` the labels in use so far."""
    if status in known:
        return status
    unknown = {each for each in named if each not in known and each != OTHER}
    return status if status in unknown or len(unknown) < MOST else OTHER
