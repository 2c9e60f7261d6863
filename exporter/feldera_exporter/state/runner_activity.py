"""What moved of a pipeline while nothing happened to it, and when: the runner's refreshes and the connectors' errors."""

from typing import Final, NamedTuple

from feldera_exporter.feldera.wire import Progress

MICROSECONDS: Final = 1_000_000

KEPT: Final = 1800 * MICROSECONDS
"""Microseconds for which errors of connectors are kept."""

_GRAIN: Final = 60 * MICROSECONDS
"""Microseconds within which errors of connectors are kept as one number."""


class Activity(NamedTuple):
    """What moved; instants are microseconds by Feldera's clock, of the lists that told it.

    Attributes:
        since: when the pipeline was first seen.
        refreshed_at: when its `refresh_version` was last seen to be another one; `since` before that.
        errors: how many errors of connectors appeared when, the oldest first.
    """

    since: int
    refreshed_at: int
    errors: tuple[tuple[int, int], ...] = ()

    @property
    def seen_refreshing(self) -> bool:
        """Whether a refresh was seen at all."""
        return self.refreshed_at > self.since

    def errors_between(self, start: int, end: int) -> int:
        """Return how many errors appeared after one instant and up to another."""
        return sum(count for at, count in self.errors if start < at <= end)


def initial_activity(at: int) -> Activity:
    """Return the activity of a pipeline that is seen for the first time."""
    return Activity(at, at)


def updated_activity(activity: Activity, before: Progress, after: Progress, at: int) -> Activity:
    """Return the activity after another list.

    Args:
        activity: up to the list before.
        before: what that list said.
        after: what the new list says.
        at: when, microseconds by Feldera's clock.
    """
    if before.refresh_version != after.refresh_version:
        activity = Activity(activity.since, at, activity.errors)
    old, new = before.connector_errors, after.connector_errors
    if old is None or new is None or old == new:
        return activity
    # A pipeline that was started again counts from 0.
    count = new - old if new > old else new
    if not count:
        return activity
    kept = [each for each in activity.errors if each[0] > at - KEPT]
    if kept and kept[-1][0] // _GRAIN == at // _GRAIN:
        count += kept.pop()[1]
    return activity._replace(errors=(*kept, (at, count)))
