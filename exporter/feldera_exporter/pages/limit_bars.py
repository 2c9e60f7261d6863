"""Bars: how much of its limit a status has used up."""

import math
from dataclasses import dataclass
from typing import Final

from feldera_exporter.pages import formatting
from feldera_exporter.problems.summary import StatusAge

_NEAR: Final = 0.8


@dataclass(frozen=True, slots=True)
class LimitBar:
    """A time against its limit.

    Attributes:
        status: whose time.
        age: how long it has lasted.
        limit: how long it may, empty where it may for ever.
        percent: how much of the limit has passed, at most 100; None where there is no limit.
        look: `over`, `near` or `well`.
        verdict: what the look says in words, empty if all is well.
    """

    status: str
    age: str
    limit: str
    percent: int | None
    look: str
    verdict: str


def limit_bar(wait: StatusAge) -> LimitBar:
    """Return the bar of a present status."""
    share = wait.share
    over = f"over by {formatting.duration(wait.age - wait.limit)}" if share >= 1 else ""
    return LimitBar(
        status=wait.status,
        age=formatting.duration(wait.age),
        limit=formatting.limit(wait.limit),
        percent=None if math.isinf(wait.limit) else min(100, int(100 * min(share, 1))),
        look="over" if share >= 1 else "near" if share >= _NEAR else "well",
        verdict=over or ("near its limit" if share >= _NEAR else ""),
    )
