"""Needs: how much a pipeline needs somebody, by the word in the address."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from feldera_exporter.problems.summary import Urgency


@dataclass(frozen=True, slots=True)
class Attention:
    """How much a pipeline needs somebody.

    Attributes:
        level: the level that it is.
        one: of one pipeline, in words.
        many: of several.
        short: as few words as a phone has room for.
    """

    level: Urgency
    one: str
    many: str
    short: str


NEEDS: Final = MappingProxyType(
    {
        "now": Attention(Urgency.CRITICAL, "needs somebody now", "need somebody now", "now"),
        "look": Attention(Urgency.WRONG, "needs a look", "need a look", "a look"),
        "moving": Attention(Urgency.MOVING, "in transition", "in transition", "moving"),
        "well": Attention(Urgency.WELL, "well", "well", "well"),
    }
)
"""Every need, the greatest first."""

WORDS: Final = MappingProxyType({need.level: word for word, need in NEEDS.items()})
"""By level, the word in the address."""


def attention_of(level: Urgency) -> Attention:
    """Return the need of a level."""
    return NEEDS[WORDS[level]]
