"""The levels of urgency in words."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from feldera_exporter.problems.summary import Urgency


@dataclass(frozen=True, slots=True)
class Level:
    """A level of urgency.

    Attributes:
        value: its value in the address.
        look: its look.
        singular: its words for one pipeline.
        plural: its words for several pipelines.
        short: one word, for phones.
    """

    value: str
    look: str
    singular: str
    plural: str
    short: str


LEVELS: Final = MappingProxyType(
    {
        Urgency.CRITICAL: Level("action", "bad", "needs action", "need action", "action"),
        Urgency.WRONG: Level("warning", "person", "has a warning", "have a warning", "warning"),
        Urgency.MOVING: Level("changing", "transient", "is changing", "are changing", "changing"),
        Urgency.WELL: Level("healthy", "good", "is healthy", "are healthy", "healthy"),
    }
)
"""The levels, the most urgent first."""

VALUES: Final = MappingProxyType({level.value: level for level in LEVELS.values()})
"""The levels by value in the address."""
