"""The labels that a pipeline's tags set."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

from feldera_exporter.config import TagLabels

Tags = tuple[str, ...]
Labels = tuple[tuple[str, str], ...]

# The web console keeps a tag's colour in the tag (feldera `tags.py`: lower-case only).
_COLOUR: Final = re.compile(r"\|[0-9a-f]{6}\Z")
# Few distinct lists of tags serve thousands of pipelines; a bound keeps a hostile answer from filling the memory.
_REMEMBERED: Final = 4096


def without_colours(tags: Iterable[str]) -> Tags:
    """Return tags as people see them, without the console's colour suffix `|rrggbb`."""
    return tuple(_COLOUR.sub("", tag) for tag in tags)


def tag_labels(configured: TagLabels) -> Callable[[Tags], Labels]:
    """Return the function that gives a pipeline's tag labels, from its tags as Feldera lists them.

    Each label takes group 1 of the first tag that its expression fully matches, the colour suffix aside, and is empty
    where none does. Every configured label is there, always in the same order: team, tier, expect, then the others
    as in the configuration. Equal tags give the identical tuple, so it may be compared by identity and shared.
    """
    expressions = tuple(configured.expressions.items())

    @lru_cache(maxsize=_REMEMBERED)
    def labels(tags: Tags) -> Labels:
        seen = without_colours(tags)
        return tuple((label, _value(expression, seen)) for label, expression in expressions)

    return labels


def _value(expression: re.Pattern[str], tags: Tags) -> str:
    for tag in tags:
        if match := expression.fullmatch(tag):
            return match[1] or ""
    return ""
