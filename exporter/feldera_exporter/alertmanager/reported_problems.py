"""The problems of one instance that are reported to Alertmanager: the present ones, and those that ended lately."""

from dataclasses import dataclass, field
from typing import Final

from feldera_exporter.micros import SECOND, Micros
from feldera_exporter.problems.evaluate import Endings, Occurrences, Problems

REPEATED_FOR: Final = 15 * 60 * SECOND
"""How long an ended problem is still sent, in case an Alertmanager is not running when it ends."""


@dataclass(frozen=True, slots=True)
class ReportedProblems:
    """The problems of one instance: the present ones, and those that ended within the last 15 minutes and are not present again."""

    present: Occurrences = field(default_factory=dict)
    ended: Endings = field(default_factory=dict)


def next_reported(before: ReportedProblems, problems: Problems, now: Micros) -> ReportedProblems:
    """Return the reported problems after another evaluation; the same object where nothing changed."""
    ended = {
        occurrence: ending
        for occurrence, ending in {**before.ended, **problems.ended}.items()
        if occurrence not in problems.present and now - ending.at < REPEATED_FOR
    }
    if problems.present is before.present and ended == before.ended:
        return before
    return ReportedProblems(problems.present, before.ended if ended == before.ended else ended)
