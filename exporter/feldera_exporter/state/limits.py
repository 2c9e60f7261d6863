"""How long each status of a pipeline may last."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from feldera_exporter.config import Limits
from feldera_exporter.state.tags import Tags, without_colours

# As many names as a large instance has, so that a poll finds all of them again; tags and what they match are few.
_NAMES: Final = 65_536
_FEW: Final = 4096

Matches = tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class LimitTable:
    """The limits of one pipeline.

    Attributes:
        seconds: the limit per status, infinity for none; also of `StartPending` and `Drift`.
    """

    seconds: Mapping[str, float]

    def of(self, status: str | None) -> float:
        """Return the limit of a status in seconds, infinity where none applies: Running, Stopped, an unknown one."""
        return self.seconds.get(status, math.inf) if status is not None else math.inf


def limit_tables(configured: Limits) -> Callable[[str, Tags], LimitTable]:
    """Return the function that gives a pipeline's limits, from its name and its tags as Feldera lists them.

    For each status the first override that matches and names the status wins, else the default. An override matches
    where its name expression matches the whole name and its tag expression some whole tag, the colour suffix aside.
    Pipelines that match the same overrides share one table.
    """
    overrides = configured.overrides

    @lru_cache(maxsize=_NAMES)
    def by_name(name: str) -> Matches:
        return tuple(each.name is None or each.name.fullmatch(name) is not None for each in overrides)

    @lru_cache(maxsize=_FEW)
    def by_tags(tags: Tags) -> Matches:
        seen = without_colours(tags)
        return tuple(each.tag is None or any(map(each.tag.fullmatch, seen)) for each in overrides)

    @lru_cache(maxsize=_FEW)
    def table(names: Matches, tags: Matches) -> LimitTable:
        seconds = dict(configured.defaults)
        # Backwards, so that the first override has the last word.
        for override, name, tag in reversed(list(zip(overrides, names, tags, strict=True))):
            if name and tag:
                seconds |= override.limits
        return LimitTable(MappingProxyType(seconds))

    if not overrides:
        only = table((), ())
        return lambda _name, _tags: only
    return lambda name, tags: table(by_name(name), by_tags(tags))
