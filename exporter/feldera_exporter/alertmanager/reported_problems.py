"""What is told of one instance: the problems that it has, and for a while those that have ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from feldera_exporter.problems.evaluate import Ended, Endings, Occurrence, Occurrences, Problems
from feldera_exporter.problems.model import MICROSECONDS

REPEATED_FOR: Final = 15 * 60 * MICROSECONDS
"""Microseconds for which it is repeated that a problem has ended: an Alertmanager may be away when it ends."""

_NOTHING: Final[Mapping[Occurrence, Ended]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ReportedProblems:
    """The problems of one instance.

    Attributes:
        present: those that it has, with when each began to count; microseconds by Feldera's clock.
        ended: those that ended within the last quarter of an hour, and do not exist again.
    """

    present: Occurrences = field(default_factory=lambda: MappingProxyType({}))
    ended: Endings = field(default_factory=lambda: _NOTHING)


NOTHING_KNOWN: Final = ReportedProblems()


def next_reported(before: ReportedProblems, problems: Problems, now: int) -> ReportedProblems:
    """Return what is told after another evaluation; the same object where nothing moved.

    Args:
        before: what was told until then.
        problems: as they were evaluated.
        now: Feldera's time of that, in microseconds.
    """
    ended = {
        each: ending
        for each, ending in {**before.ended, **problems.ended}.items()
        if each not in problems.present and now - ending.at < REPEATED_FOR
    }
    if problems.present is before.present and ended == before.ended:
        return before
    return ReportedProblems(problems.present, before.ended if ended == before.ended else ended)
