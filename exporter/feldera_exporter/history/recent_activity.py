"""What a pipeline did within the last hour, by Feldera's timestamps: the input of problems that count.

It is part of the history and is stored with it, so that a restart of the exporter forgets no crash loop.
"""

from typing import Final

import msgspec

from feldera_exporter.history.log_position import LATE_COMMIT
from feldera_exporter.micros import SECOND, Micros

KEPT: Final = 3600 * SECOND
"""Microseconds for which instants are kept."""

MOST: Final = 32
"""How many instants of one kind are kept: far more than any problem counts."""

ABSENCES_KEPT: Final = 900 * SECOND
"""Microseconds for which intervals of Unavailable are kept."""

MOST_ABSENCES: Final = 360
"""How many intervals of Unavailable are kept: the runner checks every 2.5 s (pipeline-manager `runner/pipeline_automata.rs`)."""

Instants = tuple[Micros, ...]
"""Microseconds by Feldera's clock, in ascending order."""


class RecentActivity(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a pipeline did within the last hour.

    Attributes:
        errors: when deployment errors appeared.
        restarts: when the process initialized without a start: Kubernetes restarts a crashed one.
        losses: when the pipeline became Unavailable.
        stops: when it became Stopped, as every start ends.
        recompilations: when the program went back from CompilingRust to SqlCompiled.
        absences: from when to when it was Unavailable, within the last quarter of an hour.
    """

    errors: Instants = ()
    restarts: Instants = ()
    losses: Instants = ()
    stops: Instants = ()
    recompilations: Instants = ()
    absences: tuple[tuple[Micros, Micros], ...] = ()


NOTHING: Final = RecentActivity()


def added(instants: Instants, at: Micros) -> Instants:
    """Return instants with another one, without those more than an hour before the newest.

    An instant so long after the new one that this cannot be a late commit is dropped too: the clock stepped back, and until
    it is there again, all that happens would be more than an hour before.
    """
    every = sorted((*(each for each in instants if each <= at + LATE_COMMIT), at))[-MOST:]
    return tuple(each for each in every if each > every[-1] - KEPT)


def with_absence(
    absences: tuple[tuple[Micros, Micros], ...], since: Micros, until: Micros
) -> tuple[tuple[Micros, Micros], ...]:
    """Return absences with another one, without those that ended more than `ABSENCES_KEPT` before its end."""
    kept = (each for each in absences if each[1] > until - ABSENCES_KEPT)
    return (*kept, (since, max(since, until)))[-MOST_ABSENCES:]
