"""The looks of statuses, levels and severities: each a shape and a colour, never a colour alone."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from feldera_exporter.feldera.statuses import Dimension, Kind

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
"""The look of each kind of status: the name of a symbol in `shapes.html` and of a class in `style.css`."""

LEGEND: Final = (
    *((look, str(kind)) for kind, look in LOOKS.items()),
    (UNKNOWN, "not known to this version"),
)
"""The looks with their meanings."""

TEXTURED: Final = frozenset({"transient", "person", UNKNOWN})
"""The looks with a texture in `shapes.html`: a timeline can be read without colours."""

SEVERITIES: Final = MappingProxyType({"critical": "bad", "warning": "person"})
"""The look of each severity; others are idle."""


@dataclass(frozen=True, slots=True)
class StatusStyle:
    """A status and its look."""

    text: str
    look: str


def style_of(dimension: Dimension, status: str) -> StatusStyle:
    """Return the style of a status of a dimension."""
    kind = dimension.statuses.get(status)
    return StatusStyle(status, LOOKS[kind] if kind else UNKNOWN)
