"""The tag labels of a pipeline: labels whose values are taken from its tags."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Final

Tags = tuple[str, ...]
Labels = tuple[tuple[str, str], ...]

# Feldera's web console appends a tag's colour to the tag (feldera `tags.py`: lower case only).
_COLOUR: Final = re.compile(r"\|[0-9a-f]{6}\Z")
# Thousands of pipelines have few different lists of tags. The bound limits the memory that a hostile response can use.
_CACHED_TAGS: Final = 1024


def without_colours(tags: Iterable[str]) -> Tags:
    """Return the tags without the console's colour suffix `|rrggbb`."""
    return tuple(_COLOUR.sub("", tag) for tag in tags)


def tag_labels(expressions: Mapping[str, re.Pattern[str]]) -> Callable[[Tags], Labels]:
    """Return the function that returns a pipeline's tag labels, from its tags as Feldera lists them.

    A label's value is group 1 of the first whole tag, without the colour suffix, that its expression matches; empty if
    none matches. The result has every configured label, in the order team, tier, expect, then the others as configured.
    Equal tags give the same tuple object.
    """

    @lru_cache(maxsize=_CACHED_TAGS)
    def labels(tags: Tags) -> Labels:
        plain = without_colours(tags)
        return tuple((label, _value(expression, plain)) for label, expression in expressions.items())

    return labels


def _value(expression: re.Pattern[str], tags: Tags) -> str:
    for tag in tags:
        if match := expression.fullmatch(tag):
            return match[1] or ""
    return ""
