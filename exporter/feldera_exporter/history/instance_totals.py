"""The counters of one instance over all its pipelines: errors by code, durations of timed statuses, gaps."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from feldera_exporter.feldera.label_variants import OTHER
from feldera_exporter.feldera.statuses import TIMED
from feldera_exporter.history.effects import Effect, ErrorAppeared, StatusEnded
from feldera_exporter.micros import Micros, from_seconds

BOUNDS: Final = (0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 21600)
"""The upper bounds of the duration histogram's buckets in seconds, without +Inf."""

MOST_CODES: Final = 100
"""How many distinct codes an instance may have before further ones are folded."""

_BOUNDS_MICROS: Final = tuple(from_seconds(bound) for bound in BOUNDS)
_CODE: Final = re.compile(r"[A-Z][A-Za-z0-9]*(\.[A-Z][A-Za-z0-9]*)?")
_LONGEST_CODE: Final = 64
_PLAIN: Final = frozenset({"unknown", OTHER})


class DurationHistogram(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """How long a status lasted, each time it ended.

    Attributes:
        buckets: observations per bucket, not cumulative; the last one holds what exceeds every bound.
        micros: their sum in microseconds.
    """

    buckets: tuple[int, ...] = (0,) * (len(BOUNDS) + 1)
    micros: Micros = 0


class InstanceTotals(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The counters of one instance.

    Attributes:
        errors: errors that appeared by code label; 0 for a code that appeared only before the watch.
        folded: how often a code was folded into `OTHER`.
        durations: durations by timed status; each is there from the start.
        gaps: how often events of a pipeline were missed, or their order was a guess.
        last_gap: the last such time, by Feldera's clock.
    """

    errors: Mapping[str, int] = {}
    folded: int = 0
    durations: Mapping[str, DurationHistogram] = msgspec.field(
        default_factory=lambda: dict.fromkeys(TIMED, DurationHistogram())
    )
    gaps: int = 0
    last_gap: Micros | None = None


def label(totals: InstanceTotals, code: str | None) -> str:
    """Return the label value of an error code: itself where it is admitted, else `OTHER`; `unknown` for None."""
    known = "unknown" if code is None else code
    return known if known in totals.errors or known in _PLAIN else OTHER


def admit(totals: InstanceTotals, codes: Iterable[str | None]) -> InstanceTotals:
    """Return the totals with a label at 0 for each code that may have one.

    A code may have a label if it is one CamelCase word, or two with a dot between, of at most 64 characters, and one of
    the first `MOST_CODES`.
    """
    errors = dict(totals.errors)
    for code in codes:
        _admit(errors, code)
    return totals if len(errors) == len(totals.errors) else msgspec.structs.replace(totals, errors=errors)


def add(totals: InstanceTotals, effects: Iterable[Effect]) -> InstanceTotals:
    """Return the totals with the effects of folds."""
    errors, durations = dict(totals.errors), dict(totals.durations)
    folded, gaps, last_gap = totals.folded, totals.gaps, totals.last_gap
    for effect in effects:
        if isinstance(effect, StatusEnded):
            durations[effect.status] = _observe(
                durations.get(effect.status, DurationHistogram()), effect.micros
            )
        elif isinstance(effect, ErrorAppeared):
            code = _admit(errors, effect.code)
            errors[code] = errors.get(code, 0) + 1
            folded += code == OTHER
        else:
            gaps += 1
            last_gap = max(effect.at, last_gap or effect.at)
    return InstanceTotals(errors=errors, folded=folded, durations=durations, gaps=gaps, last_gap=last_gap)


def _admit(errors: dict[str, int], code: str | None) -> str:
    """Return a code's label, and add it at 0 where it is not there."""
    known = "unknown" if code is None else code
    if known in errors:
        return known
    if known not in _PLAIN:
        number = sum(code not in _PLAIN for code in errors)
        if number >= MOST_CODES or len(known) > _LONGEST_CODE or not _CODE.fullmatch(known):
            known = OTHER
    errors.setdefault(known, 0)
    return known


def _observe(durations: DurationHistogram, micros: Micros) -> DurationHistogram:
    index = bisect_left(_BOUNDS_MICROS, micros)
    buckets = durations.buckets
    return DurationHistogram(
        (*buckets[:index], buckets[index] + 1, *buckets[index + 1 :]), durations.micros + micros
    )
