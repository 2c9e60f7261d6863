"""The limits: how long each status of a pipeline may last, by its name and tags."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from feldera_exporter.config import Limits
from feldera_exporter.state.tags import Tags, without_colours

# The caches hold the names of a large instance. Different lists of tags, and results of matching, are few.
_CACHED_NAMES: Final = 65_536
_CACHED_TAGS: Final = 1024

Matches = tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class LimitTable:
    """The limits of one pipeline.

    Attributes:
        seconds: the limit of each status in seconds, and those of `StartPending` and `Drift`; infinity for no limit.
    """

    seconds: Mapping[str, float]

    def of(self, status: str | None) -> float:
        """Return the limit of a status in seconds; infinity for a status without a limit (Running, Stopped, unknown)."""
        return self.seconds.get(status, math.inf) if status is not None else math.inf


def limit_tables(configured: Limits) -> Callable[[str, Tags], LimitTable]:
    """Return the function that returns a pipeline's limits, from its name and its tags as Feldera lists them.

    For each status, the first matching override with a limit for it wins, then the default. An override matches if its
    name expression matches the whole name, and its tag expression matches a whole tag without the colour suffix. Pipelines
    that match the same overrides share one table.
    """
    overrides = configured.overrides

    @lru_cache(maxsize=_CACHED_NAMES)
    def by_name(name: str) -> Matches:
        return tuple(
            override.name is None or override.name.fullmatch(name) is not None for override in overrides
        )

    @lru_cache(maxsize=_CACHED_TAGS)
    def by_tags(tags: Tags) -> Matches:
        plain = without_colours(tags)
        return tuple(
            override.tag is None or any(map(override.tag.fullmatch, plain)) for override in overrides
        )

    @lru_cache(maxsize=_CACHED_TAGS)
    def table(names: Matches, tags: Matches) -> LimitTable:
        seconds = dict(configured.defaults)
        # In reverse order, so that the first override wins.
        for override, name, tag in reversed(list(zip(overrides, names, tags, strict=True))):
            if name and tag:
                seconds |= override.limits
        return LimitTable(MappingProxyType(seconds))

    if not overrides:
        only = table((), ())
        return lambda _name, _tags: only
    return lambda name, tags: table(by_name(name), by_tags(tags))
