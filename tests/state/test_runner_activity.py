"""The recent activity of a pipeline: refreshes by the runner, and connector errors."""

import pytest

from feldera_exporter.feldera.wire import Progress
from feldera_exporter.state.runner_activity import KEPT, Activity, updated_activity

MINUTE = 60_000_000
AT = 100 * MINUTE
"""A whole minute."""


def after(*steps: tuple[int, int | None, int | None], seen: int = AT) -> Activity:
    """Return the activity after lists: when each was, the refresh version and the count of errors."""
    activity, before = Activity(seen, seen), Progress(1, 0)
    for at, version, errors in steps:
        progress = Progress(version, errors)
        activity = updated_activity(activity, before, progress, at)
        before = progress
    return activity


def test_a_refresh_has_the_instant_of_the_list_that_shows_it() -> None:
    """Before the first it is not known when the last was."""
    assert not Activity(AT, AT).seen_refreshing
    assert after((AT + 5, 1, 0)) == Activity(AT, AT)
    assert after((AT + 5, 2, 0), (AT + 10, 2, 0)).refreshed_at == AT + 5
    assert after((AT + 5, 2, 0)).seen_refreshing


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((5, 5, 7), (7,)),
        ((5, 2, 2), (7,)),
        ((5, 0, 0), (5,)),
        ((None, 9, 9), ()),
        ((5, None, 2), (5,)),
    ],
)
def test_errors_are_what_the_count_grew_by(counts: tuple[int | None, ...], expected: tuple[int, ...]) -> None:
    """A pipeline that was started again counts from 0; what a new count was before is not known."""
    steps = ((AT + number, 1, count) for number, count in enumerate(counts))
    assert tuple(count for _, count in after(*steps).errors) == expected


def test_errors_of_one_minute_are_one_number() -> None:
    """Errors within a minute have the instant of the last one."""
    activity = after((AT, 1, 1), (AT + MINUTE - 1, 1, 3), (AT + MINUTE, 1, 4))
    assert activity.errors == ((AT + MINUTE - 1, 3), (AT + MINUTE, 1))


def test_errors_are_kept_for_half_an_hour() -> None:
    """Errors older than half an hour before the newest are dropped."""
    begun = after((AT, 1, 1), (AT + KEPT - 1, 1, 2))
    assert begun.errors == ((AT, 1), (AT + KEPT - 1, 1))
    assert after((AT, 1, 1), (AT + KEPT, 1, 2)).errors == ((AT + KEPT, 1),)


def test_errors_between_two_instants() -> None:
    """The first instant is not among them, the second is."""
    activity = Activity(AT, AT, ((1, 10), (2, 20), (3, 40)))
    assert activity.errors_between(1, 2) == 20
    assert activity.errors_between(0, 3) == 70
    assert activity.errors_between(3, 9) == 0
