"""The recent activity of a pipeline while its statuses stay: refreshes by the runner and connector errors."""

from typing import Final, NamedTuple

from feldera_exporter.feldera.wire import Progress
from feldera_exporter.micros import SECOND, Micros

KEPT: Final = 1800 * SECOND
"""Microseconds for which connector errors are kept."""

_RESOLUTION: Final = 60 * SECOND
"""Connector errors within so many microseconds are kept as one number."""


class Activity(NamedTuple):
    """The activity; instants are by Feldera's clock, each the time of a list.

    Attributes:
        since: when the pipeline was first listed.
        refreshed_at: when its `refresh_version` was last seen to change; `since` before the first change.
        errors: pairs of an instant and the number of new connector errors, the oldest first.
    """

    since: Micros
    refreshed_at: Micros
    errors: tuple[tuple[Micros, int], ...] = ()

    @property
    def seen_refreshing(self) -> bool:
        """Whether a refresh was seen since the pipeline was first listed."""
        return self.refreshed_at > self.since

    def errors_between(self, start: Micros, end: Micros) -> int:
        """Return the number of errors after `start` and up to `end`, both in microseconds."""
        return sum(count for at, count in self.errors if start < at <= end)


def updated_activity(activity: Activity, before: Progress, after: Progress, at: Micros) -> Activity:
    """Return the activity after another list, read at this instant, from the progress in the list before and in this one."""
    if before.refresh_version != after.refresh_version:
        activity = Activity(activity.since, at, activity.errors)
    old, new = before.connector_errors, after.connector_errors
    if old is None or new is None or old == new:
        return activity
    # After a start of the pipeline, Feldera counts from 0.
    count = new - old if new > old else new
    if not count:
        return activity
    kept = [(instant, number) for instant, number in activity.errors if instant > at - KEPT]
    if kept and kept[-1][0] // _RESOLUTION == at // _RESOLUTION:
        count += kept.pop()[1]
    return activity._replace(errors=(*kept, (at, count)))
