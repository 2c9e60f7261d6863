"""The looks of statuses, levels of urgency and severities: each a shape and a colour, never a colour alone."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from feldera_exporter.feldera.statuses import Dimension, Kind
from feldera_exporter.problems.pipeline_summaries import Urgency

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


@dataclass(frozen=True, slots=True)
class Level:
    """A level of urgency: its value in the address, its look, and its words; the short one is for phones."""

    value: str
    look: str
    singular: str
    plural: str
    short: str

    def text(self, count: int) -> str:
        """Return the words for so many pipelines."""
        return self.singular if count == 1 else self.plural


LEVELS: Final = MappingProxyType(
    {
        Urgency.CRITICAL: Level("action", "bad", "needs action", "need action", "action"),
        Urgency.WRONG: Level("warning", "person", "has a warning", "have a warning", "warning"),
        Urgency.MOVING: Level("changing", "transient", "is changing", "are changing", "changing"),
        Urgency.WELL: Level("healthy", "good", "is healthy", "are healthy", "healthy"),
    }
)
"""The levels, the most urgent first."""

BY_VALUE: Final = MappingProxyType({level.value: level for level in LEVELS.values()})
"""The levels by value in the address."""
