"""Levels: how urgent a pipeline's state is, by the word in the address."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from feldera_exporter.problems.summary import Urgency


@dataclass(frozen=True, slots=True)
class LevelText:
    """How a level is called.

    Attributes:
        level: the level.
        singular: of one pipeline, in words.
        plural: of several.
        short: as few words as a phone has room for.
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
"""Every level, the most urgent first."""

WORDS: Final = MappingProxyType({text.level: word for word, text in LEVEL_TEXTS.items()})
"""By level, the word in the address."""


def level_text(level: Urgency) -> LevelText:
    """Return how a level is called."""
    return LEVEL_TEXTS[WORDS[level]]
