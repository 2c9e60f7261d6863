"""Durations, instants and long texts for people."""

import math
from dataclasses import dataclass
from typing import Final

from feldera_exporter.micros import SECOND, Micros, to_datetime

_UNSEEN: Final = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n\r"},
    0x7F: 0x2421,
    # Other control characters, and those that turn the direction of what follows them.
    **dict.fromkeys((*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)), 0xFFFD),
}


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant for pages.

    Attributes:
        text: in UTC: the time of day, with the date unless that is today.
        instant: the same for machines.
        age: how long ago it was: `12m 3s`.
    """

    text: str
    instant: str
    age: str


def visible(text: str) -> str:
    """Return a text with a visible character in place of each control character."""
    return text.translate(_UNSEEN)


def duration(seconds: float) -> str:
    """Return a duration in its two largest units: `12m 3s`."""
    whole = int(seconds)
    for unit, letter, smaller, small in ((86_400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s")):
        if whole >= unit:
            rest = whole % unit // smaller
            return f"{whole // unit}{letter} {rest}{small}" if rest else f"{whole // unit}{letter}"
    return f"{whole}s"


def limit(seconds: float) -> str:
    """Return a limit as a duration, empty where there is none."""
    return "" if math.isinf(seconds) else duration(seconds)


def instant(at: Micros) -> str:
    """Return an instant as RFC 3339 in UTC, to the second."""
    return f"{to_datetime(at):%Y-%m-%dT%H:%M:%SZ}"


def moment(at: Micros, now: Micros) -> Moment:
    """Return an instant for pages."""
    when = to_datetime(at)
    text = f"{when:%H:%M:%S}" if when.date() == to_datetime(now).date() else f"{when:%Y-%m-%d %H:%M:%S}"
    return Moment(text, instant(at), duration(max(0, now - at) / SECOND))


def first_lines(text: str, most: int, lines: int) -> str:
    """Return the beginning of a text: at most so many characters and lines that are not blank, with `…` where it is cut."""
    whole = [line for line in text.splitlines() if line.strip()]
    begun = "\n".join(whole[:lines])
    return begun if len(begun) <= most and len(whole) <= lines else f"{begun[:most].rstrip()}…"


def count(number: int, thing: str) -> str:
    """Return a number of things: `1 pipeline`, `1,000 pipelines`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
