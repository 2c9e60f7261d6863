"""Bars: the age of a status and its limit."""

import math
from dataclasses import dataclass
from typing import Final

from feldera_exporter.pages import formatting
from feldera_exporter.problems.pipeline_summaries import StatusAge

_NEAR: Final = 0.8


@dataclass(frozen=True, slots=True)
class LimitBar:
    """The age of a status and its limit.

    Attributes:
        limit: its limit; empty without a limit.
        percent: the part of the limit that has passed, at most 100; None without a limit.
        look: `over`, `near` or `well`.
        verdict: the look in words; empty for `well`.
    """

    status: str
    age: str
    limit: str
    percent: int | None
    look: str
    verdict: str


def limit_bar(wait: StatusAge) -> LimitBar:
    """Return the bar of a status."""
    look, verdict = "well", ""
    if wait.share >= 1:
        look, verdict = "over", f"over by {formatting.duration(wait.age - wait.limit)}"
    elif wait.share >= _NEAR:
        look, verdict = "near", "near its limit"
    return LimitBar(
        status=wait.status,
        age=formatting.duration(wait.age),
        limit=formatting.limit(wait.limit),
        percent=None if math.isinf(wait.limit) else int(100 * min(wait.share, 1)),
        look=look,
        verdict=verdict,
    )
