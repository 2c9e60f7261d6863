"""A metric family: its name, type, HELP text and labels, how its samples are read, and how they become text."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

from feldera_exporter.exposition.text import labels, number, seconds
from feldera_exporter.micros import Micros

Subject = TypeVar("Subject")


class Sample(NamedTuple):
    """One sample of a family.

    Attributes:
        value: the number as text.
        extra: the labels beyond those that all samples of the subject share, as `extra` returns them.
        suffix: `_bucket`, `_sum` or `_count` for a histogram, else empty.
    """

    value: str
    extra: str = ""
    suffix: str = ""


def known_number(value: float | None) -> Iterator[Sample]:
    """Yield the sample of a number, none where it is not known; true is 1, false is 0."""
    if value is not None:
        yield Sample(number(value))


def known_instant(at: Micros | None) -> Iterator[Sample]:
    """Yield the sample of an instant, none where it is not known. Feldera reports the epoch where it knows no time."""
    if at is not None and at > 0:
        yield Sample(seconds(at))


def whole(subject: Subject) -> Subject:
    """Return the subject itself: for families whose samples depend on several values of it."""
    return subject


@dataclass(frozen=True, slots=True)
class Family(Generic[Subject]):
    """One row of a metric table.

    Attributes:
        name: the name without `_total`.
        kind: `gauge`, `counter` or `histogram`, as in the TYPE line.
        help: one sentence for the HELP line and the reference.
        labels: the label names beyond those that all samples of the subject share.
        read: returns the samples, from the result of `of`; pure.
        of: returns the part of the subject that the samples depend on. While it is equal, the lines are not rendered again.
    """

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ()
    read: Callable[[Any], Iterable[Sample]] = known_number
    of: Callable[[Subject], Any] = whole

    @property
    def exposed_name(self) -> str:
        """The name that users query: with `_total` for a counter."""
        return f"{self.name}_total" if self.kind == "counter" else self.name

    def render(self, shared: str, subject: Subject) -> bytes:
        """Return the sample lines of one subject; `shared` is the text of the labels that all its samples have."""
        head = f"{self.exposed_name}{{{shared}"
        lines = [
            f"{self.name}{suffix}{{{shared}{extra}}} {value}\n" if suffix else f"{head}{extra}}} {value}\n"
            for value, extra, suffix in self.read(self.of(subject))
        ]
        return "".join(lines).encode()

    def agrees(self, before: Subject, after: Subject) -> bool:
        """Return whether two subjects have the same samples."""
        old, new = self.of(before), self.of(after)
        if old is new or self.of is not whole:
            return bool(old is new or old == new)
        return tuple(self.read(old)) == tuple(self.read(new))


@lru_cache(maxsize=4096)
def extra(*pairs: tuple[str, str]) -> str:
    """Return label pairs as text to append to a sample's shared labels; cached."""
    return f",{labels(pairs)}"
