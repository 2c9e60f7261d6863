"""When the next poll is due; time is an argument."""

from hypothesis import given
from hypothesis import strategies as st

from feldera_exporter.polling.schedule import MAX_BACKOFF, Schedule


def test_polls_stay_on_the_grid() -> None:
    """Each poll starts at a multiple of the interval after the first, however long polls take."""
    schedule = Schedule(5.0, due=100.0)
    for end, due in ((100.3, 105.0), (109.9, 110.0), (110.1, 115.0), (115.7, 120.0)):
        schedule = schedule.ended(end, success=True)
        assert schedule.due == due


def test_a_poll_that_took_too_long_delays_one() -> None:
    """After a long poll the next one starts at once, and the one after it at its own time; more are not made up for."""
    schedule = Schedule(5.0, due=100.0).ended(105.2, success=True)
    assert schedule.due == 105.0
    assert schedule.ended(106.4, success=True).due == 110.0
    assert Schedule(5.0, due=100.0).ended(117.2, success=True).due == 115.0
    assert Schedule(5.0, due=100.0).ended(115.0, success=True).due == 115.0


def test_a_failure_that_took_too_long_skips_what_it_delayed() -> None:
    """A server that fails slowly is not asked again at once."""
    assert Schedule(5.0, due=100.0).ended(107.2, success=False).due == 110.0
    assert Schedule(5.0, due=100.0).ended(105.0, success=False).due == 105.0


def test_failures_make_polls_rarer() -> None:
    """The pause doubles with each failure after the first, to a minute at most."""
    schedule, pauses = Schedule(5.0, due=0.0), []
    for _ in range(7):
        before = schedule.due
        schedule = schedule.ended(before + 0.1, success=False)
        pauses.append(schedule.due - before)
    assert pauses == [5.0, 5.0 * 2, 5.0 * 4, 5.0 * 8, 60.0, 60.0, 60.0]


def test_a_success_ends_the_backoff() -> None:
    """After a success the next poll is one interval later."""
    schedule = Schedule(5.0, due=0.0, failures=9).ended(0.1, success=True)
    assert (schedule.due, schedule.failures) == (5.0, 0)


def test_a_long_interval_is_never_made_shorter() -> None:
    """An interval above the greatest pause stays as it is while polls fail."""
    schedule = Schedule(300.0, due=0.0, failures=5).ended(1.0, success=False)
    assert schedule.due == 300.0


def test_the_server_is_left_alone() -> None:
    """The next poll is on the grid after the server's Retry-After, at most a minute later."""
    schedule = Schedule(5.0, due=100.0)
    for retry_after, due in ((0.0, 105.0), (3.0, 105.0), (5.0, 110.0), (30.0, 135.0), (1e9, 165.0)):
        assert schedule.ended(100.1, success=False, retry_after=retry_after).due == due
    assert Schedule(5.0, 0.0, failures=3).ended(0.1, success=False, retry_after=7.0).due == 40.0


@given(
    st.floats(0.1, 1000.0),
    st.lists(st.tuples(st.floats(0.0, 5000.0), st.booleans()), max_size=30),
)
def test_polls_neither_gather_nor_drift(interval: float, polls: list[tuple[float, bool]]) -> None:
    """At most one poll is late, none after a failure, and no pause exceeds a minute or an interval."""
    schedule = Schedule(interval, due=1000.0)
    end = 1000.0
    for took, success in polls:
        end = max(end, schedule.due) + took
        schedule = schedule.ended(end, success=success)
        assert schedule.due >= (end - interval * 1.000001 if success else end)
        assert schedule.due - end <= max(interval, MAX_BACKOFF) * 1.000001
        steps = (schedule.due - 1000.0) / interval
        if interval <= MAX_BACKOFF / 2**11:
            assert abs(steps - round(steps)) < 1e-3
