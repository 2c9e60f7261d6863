"""Feldera's clock, by the Dates of its answers and this machine's two clocks."""

import pytest

from feldera_exporter.polling.feldera_clock import FelderaClock

START = 1_787_313_600.0
"""What this machine's clock shows when its monotonic clock shows 0."""
HOUR = 3600.0


def after(*answers: tuple[float, float, float]) -> FelderaClock:
    """Return the clock after some answers: seconds since the start by the Date, this machine's and its monotonic clock."""
    clock = FelderaClock(START)
    for date, wall, monotonic in answers:
        clock = clock.after_answer(START + date, START + wall, monotonic)
    return clock


def steps(*seconds: float) -> list[float]:
    """Return by how much Feldera's clock is ahead after each answer, if this machine's clocks run well."""
    answers = [(each, 0.0, 0.0) for each in seconds]
    return [round(after(*answers[: count + 1]).now(0.0) - START, 3) for count in range(len(seconds))]


def test_before_the_first_answer_it_is_this_machines_time() -> None:
    """Before the first answer it is this machine's time, and runs by the monotonic clock."""
    assert FelderaClock(START).now(5.0) == START + 5
    assert not FelderaClock(START).known


def test_between_answers_it_runs_by_the_monotonic_clock() -> None:
    """Between answers this machine's time is not used."""
    clock = after((10.0, 0.0, 1.0))
    assert clock.now(1.0) == START + 10
    assert clock.now(61.0) == START + 70


def test_a_first_date_nearby_counts() -> None:
    """A first date some minutes apart is accepted."""
    assert steps(-3000.0) == [-3000.0]
    assert after((-3000.0, 0.0, 0.0)).known


def test_a_first_date_far_off_must_be_confirmed() -> None:
    """A first date that is years off is accepted with the second answer."""
    assert steps(1e8, 1e8 + 1) == [0.0, 1e8 + 1]
    assert steps(2e9, 0.5) == [0.0, 0.5]
    assert steps(1e9, 2e9, 3e9) == [0.0, 0.0, 0.0]
    assert [after((1e8, 0, 0)).known, after((1e8, 0, 0), (1e8, 0, 0)).known] == [False, True]


def test_small_steps_are_followed() -> None:
    """A clock that is set, or runs faster, is followed at once."""
    assert steps(0.0, 1.5, -30.0, 3000.0, 6000.0) == [0.0, 1.5, -30.0, 3000.0, 6000.0]


def test_one_wrong_date_changes_nothing() -> None:
    """A single date in the far future is not accepted, as it would count as time."""
    assert steps(0.5, 1e9, 0.6, -1e9, 0.7) == [0.5, 0.5, 0.6, 0.6, 0.7]


def test_a_confirmed_step_is_followed() -> None:
    """A clock that really was set by more is followed with the second answer."""
    assert steps(0.0, 1e9, 1e9 + 5) == [0.0, 0.0, 1e9 + 5]
    assert steps(0.0, 1e9, 2e9, 2e9) == [0.0, 0.0, 0.0, 2e9]


@pytest.mark.parametrize("step", [6 * HOUR, -6 * HOUR, 1e9])
def test_this_machines_clock_is_set(step: float) -> None:
    """Feldera's time goes on as before; the difference between the clocks changes at once."""
    clock = after((0.0, 0.0, 0.0), (5.0, 5.0 + step, 5.0))
    assert clock.now(10.0) == START + 10
    assert clock.skew == -step
    assert clock.contradiction is None


@pytest.mark.parametrize("step", [6 * HOUR, -6 * HOUR])
def test_this_machines_clock_is_set_before_the_first_answer(step: float) -> None:
    """If NTP sets the clock after the start, the Date is compared with the right time."""
    clock = after((5.0 + step, 5.0 + step, 5.0))
    assert clock.known
    assert clock.now(5.0) == START + 5 + step
    assert clock.skew == 0


@pytest.mark.parametrize("step", [6 * HOUR, -6 * HOUR])
def test_this_machines_clock_is_set_while_the_first_date_is_confirmed(step: float) -> None:
    """The two Dates are compared by the monotonic clock."""
    clock = after((1e8, 0.0, 0.0), (1e8 + 1, step, 1.0))
    assert clock.known
    assert clock.now(1.0) == START + 1e8 + 1


def test_the_machine_slept() -> None:
    """After a sleep Feldera's time has gone on, although the monotonic clock has not."""
    clock = after((0.0, 0.0, 0.0), (8 * HOUR, 8 * HOUR, 5.0))
    assert clock.now(6.0) == START + 8 * HOUR + 1


def test_both_clocks_are_set_in_turn() -> None:
    """The steps of the two clocks are not confused."""
    clock = after((0.0, 0.0, 0.0), (5.0, 6 * HOUR, 5.0), (6 * HOUR, 6 * HOUR + 5, 10.0))
    assert clock.contradiction == 6 * HOUR - 10
    assert clock.now(10.0) == START + 10
    clock = clock.after_answer(START + 6 * HOUR + 5, START + 6 * HOUR + 10, 15.0)
    assert clock.now(15.0) == START + 6 * HOUR + 5
    assert clock.skew == -5


def test_two_servers_whose_clocks_differ() -> None:
    """The clock that was accepted first stays; each answer of the other one contradicts it."""
    clock = after((0.0, 0.0, 0.0))
    for second in range(1, 100):
        there = 3 * HOUR if second % 2 else 0.0
        clock = clock.after_answer(START + second + there, START + second, second)
        assert clock.contradiction == (there or None)
        assert clock.now(second) == START + second
