"""What happened lately: how often, within the last hour, each pipeline did what some alerts count.

Only pipelines to which something happened are kept, and they are looked at only when a history changes: a fleet at rest
costs nothing. As for Prometheus, what happened before the first look is not known.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from feldera_exporter.differences import replaced
from feldera_exporter.history.history import History

_SECOND: Final = 1_000_000

KEPT: Final = 3600
"""Seconds for which what happened is kept."""

_GRAIN: Final = 30 * _SECOND
"""Microseconds within which what happens is kept as one: about as far apart as two scrapes, and few enough for an hour."""


class Deeds(NamedTuple):
    """How often a pipeline did something, or for how long.

    Attributes:
        errors: deployment errors that appeared.
        initializations: entries into Initializing.
        starts: transitions from Provisioning to Provisioned.
        losses: entries into Unavailable.
        stops: transitions from Stopping to Stopped.
        recompilations: returns from CompilingRust to SqlCompiled.
        unavailable: microseconds in Unavailable, added when they end.
    """

    errors: int = 0
    initializations: int = 0
    starts: int = 0
    losses: int = 0
    stops: int = 0
    recompilations: int = 0
    unavailable: int = 0


class Step(NamedTuple):
    """What was done at an instant, in microseconds by Feldera's clock."""

    at: int
    deeds: Deeds


Steps = tuple[Step, ...]
"""What one pipeline did, the oldest first."""

Lately = Mapping[str, Steps]
"""What every pipeline did within the last hour, by id; those that did nothing are left out."""

NOTHING: Final[Lately] = MappingProxyType({})


def noted(lately: Lately, before: Mapping[str, History], after: Mapping[str, History], now: int) -> Lately:
    """Return what happened lately, with what happened between two looks at the histories.

    Args:
        lately: up to the look before.
        before: the histories then.
        after: the histories now; the very same object where nothing happened.
        now: microseconds by Feldera's clock.
    """
    news = {one: done for one in _changed(before, after) if any(done := _between(before[one], after[one]))}
    if not news:
        return lately
    oldest = now - KEPT * _SECOND
    kept = {one: steps for one, steps in lately.items() if steps[-1].at > oldest}
    for one, done in news.items():
        kept[one] = _with(kept.get(one, ()), done, now, oldest)
    return kept


def within(steps: Steps, seconds: float, now: int) -> Deeds:
    """Return what a pipeline did in the last seconds up to now; of a time, the part of it that lies in them."""
    start = now - round(seconds * _SECOND)
    inside = [
        step.deeds._replace(unavailable=min(step.deeds.unavailable, step.at - start))
        for step in steps
        if step.at > start
    ]
    return Deeds(*map(sum, zip(*inside, strict=True))) if inside else Deeds()


def _changed(before: Mapping[str, History], after: Mapping[str, History]) -> Iterable[str]:
    if before is after:
        return ()
    changed = replaced(before, after)
    if changed is not None:
        return changed
    # Some came or went. One that is new has not done anything yet.
    return [one for one, history in after.items() if before.get(one, history) is not history]


def _between(before: History, after: History) -> Deeds:
    # Counters never fall, except where somebody else's history has the same id: then nobody knows what happened.
    return Deeds(*(max(0, new - old) for old, new in zip(_ever(before), _ever(after), strict=True)))


def _ever(history: History) -> Deeds:
    """Return what a pipeline has done since its watch began."""
    counts = history.counts
    return Deeds(
        errors=history.errors.count,
        initializations=counts.runtime.get("Initializing", 0),
        starts=counts.resources.get(("Provisioning", "Provisioned"), 0),
        losses=counts.runtime.get("Unavailable", 0),
        stops=counts.resources.get(("Stopping", "Stopped"), 0),
        recompilations=counts.program.get(("CompilingRust", "SqlCompiled"), 0),
        unavailable=history.spent.closed.get("Unavailable", 0),
    )


def _with(steps: Steps, done: Deeds, now: int, oldest: int) -> Steps:
    kept = tuple(step for step in steps if step.at > oldest)
    if kept and kept[-1].at // _GRAIN == now // _GRAIN:
        *kept_, last = kept
        return (*kept_, Step(now, Deeds(*(old + new for old, new in zip(last.deeds, done, strict=True)))))
    return (*kept, Step(now, done))
