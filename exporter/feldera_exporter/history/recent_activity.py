"""What a pipeline did within the last hour, by Feldera's timestamps: what counting problems look at.

It is part of the history, and so is kept with it: a restart of the exporter forgets no crash loop, and events that are read
late count at the time when they happened.
"""

from typing import Final

import msgspec

MICROSECONDS: Final = 1_000_000

KEPT: Final = 3600 * MICROSECONDS
"""Microseconds for which it is kept that something happened."""

MOST: Final = 32
"""How many instants of one kind are kept: far more than any problem counts."""

ABSENCES_KEPT: Final = 900 * MICROSECONDS
"""Microseconds for which it is kept that a pipeline was Unavailable."""

MOST_ABSENCES: Final = 360
"""How many absences are kept: a runner looks every 2.5 s (pipeline-manager `runner/pipeline_automata.rs`)."""

Instants = tuple[int, ...]
"""Microseconds by Feldera's clock, in their order."""


class RecentActivity(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a pipeline did within the last hour.

    Attributes:
        errors: when deployment errors appeared.
        restarts: when the process initialized without a start: on Kubernetes a crashed one comes back by itself.
        losses: when the pipeline became Unavailable.
        stops: when it was stopped: every start ends with that, whatever became of it.
        recompilations: when the program went back from CompilingRust to SqlCompiled.
        absences: from when to when it was Unavailable, within the last quarter of an hour.
    """

    errors: Instants = ()
    restarts: Instants = ()
    losses: Instants = ()
    stops: Instants = ()
    recompilations: Instants = ()
    absences: tuple[tuple[int, int], ...] = ()


NOTHING: Final = RecentActivity()


def added(instants: Instants, at: int) -> Instants:
    """Return instants with one more; those of more than an hour before the newest are dropped."""
    every = sorted((*instants, at))[-MOST:]
    return tuple(each for each in every if each > every[-1] - KEPT)


def with_absence(
    absences: tuple[tuple[int, int], ...], since: int, until: int
) -> tuple[tuple[int, int], ...]:
    """Return absences with one more; those that ended long before its end are dropped."""
    kept = (each for each in absences if each[1] > until - ABSENCES_KEPT)
    return (*kept, (since, max(since, until)))[-MOST_ABSENCES:]
