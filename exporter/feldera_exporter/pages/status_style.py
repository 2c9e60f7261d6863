"""Marks: what a status, a level or a severity looks like, which is a shape and a colour and never a colour alone."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from feldera_exporter.feldera.statuses import Dimension, Kind
from feldera_exporter.problems.summary import Urgency

UNKNOWN: Final = "unknown"

LOOKS: Final = MappingProxyType(
    {
        Kind.GOOD: "good",
        Kind.TRANSIENT: "transient",
        Kind.BAD: "bad",
        Kind.NEEDS_PERSON: "person",
        Kind.IDLE: "idle",
    }
)
"""By kind of status, its look: the name of a symbol in `shapes.html` and of a class in `style.css`."""

LEGEND: Final = (
    *((look, str(kind)) for kind, look in LOOKS.items()),
    (UNKNOWN, "not known to this version"),
)
"""Every look with its meaning."""

TEXTURED: Final = frozenset({"transient", "person", UNKNOWN})
"""The looks that have a texture in `shapes.html`, so that without any colour a timeline still tells all of them apart."""

LEVELS: Final = MappingProxyType(
    {Urgency.CRITICAL: "bad", Urgency.WRONG: "person", Urgency.MOVING: "transient", Urgency.WELL: "good"}
)
"""By level, its look."""

SEVERITIES: Final = MappingProxyType({"critical": "bad", "warning": "person"})
"""By severity, its look; others are idle."""


@dataclass(frozen=True, slots=True)
class StatusStyle:
    """A status and its look."""

    text: str
    look: str


def style_of(dimension: Dimension, status: str) -> StatusStyle:
    """Return the mark of a dimension's status."""
    kind = dimension.statuses.get(status)
    return StatusStyle(status, LOOKS[kind] if kind else UNKNOWN)
