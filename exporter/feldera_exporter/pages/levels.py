"""The levels of urgency in words."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from feldera_exporter.problems.summary import Urgency


@dataclass(frozen=True, slots=True)
class LevelText:
    """The words for a level.

    Attributes:
        level: the level.
        singular: for one pipeline.
        plural: for several pipelines.
        short: one word, for phones.
    """

    level: Urgency
    singular: str
    plural: str
    short: str


LEVEL_TEXTS: Final = MappingProxyType(
    {
        "action": LevelText(Urgency.CRITICAL, "needs action", "need action", "action"),
        "warning": LevelText(Urgency.WRONG, "has a warning", "have a warning", "warning"),
        "changing": LevelText(Urgency.MOVING, "is changing", "are changing", "changing"),
        "healthy": LevelText(Urgency.WELL, "is healthy", "are healthy", "healthy"),
    }
)
"""The words by value in the address, the most urgent level first."""

WORDS: Final = MappingProxyType({text.level: word for word, text in LEVEL_TEXTS.items()})
"""The value in the address by level."""


def level_text(level: Urgency) -> LevelText:
    """Return the words for a level."""
    return LEVEL_TEXTS[WORDS[level]]
