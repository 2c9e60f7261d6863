"""How families with at most one sample for each subject read it: no sample where the value is not known."""

from collections.abc import Iterator

from feldera_exporter.exposition.family import Sample
from feldera_exporter.exposition.text import number, seconds
from feldera_exporter.micros import Micros


def known_number(value: float | None) -> Iterator[Sample]:
    """Yield the sample of a number; true is 1, false is 0."""
    if value is not None:
        yield Sample(number(value))


def known_instant(at: Micros | None) -> Iterator[Sample]:
    """Yield the sample of an instant. Feldera reports the epoch where it knows no time."""
    if at is not None and at > 0:
        yield Sample(seconds(at))
