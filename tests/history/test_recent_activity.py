"""The activity of a pipeline within the last hour, by Feldera's timestamps."""

from typing import Any

import pytest

from feldera_exporter.history.answer_evaluation import evaluate_row
from feldera_exporter.history.fold import fold
from feldera_exporter.history.history import History
from feldera_exporter.history.observation import Observation
from feldera_exporter.history.recent_activity import (
    MOST,
    MOST_ABSENCES,
    NOTHING,
    RecentActivity,
    added,
    with_absence,
)
from support.history_examples import begun, instant, row, seen

HOUR = 3600
MICROSECOND = 1e-6


def folded(history: History, *log: Observation) -> History:
    """Return a history with a log folded in."""
    return fold(history, log, instant(0))[0]


def instants(*seconds: float) -> tuple[int, ...]:
    """Return instants in microseconds."""
    return tuple(map(instant, seconds))


def did(first: str, *then: str) -> RecentActivity:
    """Return what a pipeline did that was something at first, and something else each second from 1 on."""
    log = [seen(number, statuses) for number, statuses in enumerate((first, *then))]
    return folded(begun(0, first), *log).recent


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (("Provisioned/Running", "Stopping!", "Stopped!"), {"errors": (1,), "stops": (2,)}),
        (("Stopped", "Stopped!", "Stopped", "Stopped!", "Stopped!"), {"errors": (1, 3)}),
        (("Provisioned/Running", "Provisioned/Initializing"), {"restarts": (1,)}),
        (("Stopped", "Provisioning", "Provisioned/Initializing", "Provisioned/Running"), {}),
        (("Stopped", "Provisioned/Initializing"), {}),
        (("Provisioned/Running", "Provisioned/Unavailable"), {"losses": (1,)}),
        (("Stopping", "Stopped", "Provisioning", "Stopping", "Stopped"), {"stops": (1, 4)}),
        (("Stopped//CompilingRust", "Stopped//SqlCompiled"), {"recompilations": (1,)}),
        (("Stopped//CompilingRust", "Stopped//Pending", "Stopped//CompilingSql", "Stopped//SqlCompiled"), {}),
    ],
)
def test_every_deed_has_its_instant(
    statuses: tuple[str, ...], expected: dict[str, tuple[float, ...]]
) -> None:
    """Each start, restart and error has its instant; a start is no restart, and an error that stays counts once."""
    made: dict[str, Any] = {name: instants(*each) for name, each in expected.items()}
    assert did(*statuses) == RecentActivity(**made)


@pytest.mark.parametrize("then", ["Provisioned/Running", "Provisioned/Initializing", "Stopping"])
def test_an_absence_ends_with_another_status(then: str) -> None:
    """An absence has its beginning and its end; one that lasts has no end yet."""
    assert did("Provisioned/Running", "Provisioned/Unavailable").absences == ()
    recent = did("Provisioned/Running", "Provisioned/Unavailable", "Provisioned/Unavailable", then)
    assert recent.absences == ((instant(1), instant(3)),)


def crash_loop(begin: float, times: int, every: float) -> list[Observation]:
    """Return the events of a process that comes back by itself again and again."""
    return [
        seen(begin + number * every + after, f"Provisioned/{status}")
        for number in range(times)
        for after, status in ((0, "Unavailable"), (5, "Initializing"), (10, "Running"))
    ]


def test_what_is_read_late_counts_when_it_happened() -> None:
    """Events count at their own instants, read at once or one by one, and only once."""
    start = folded(begun(0, "Provisioned/Running"), seen(0, "Provisioned/Running"))
    log = crash_loop(60, 4, 600)
    at_once = folded(start, *log)
    bit_by_bit = start
    for event in log:
        bit_by_bit = folded(bit_by_bit, event)
    assert at_once.recent == bit_by_bit.recent == folded(at_once, *log).recent
    assert at_once.recent.restarts == instants(65, 665, 1265, 1865)
    assert at_once.recent.losses == instants(60, 660, 1260, 1860)


def test_what_is_long_ago_is_forgotten() -> None:
    """Entries older than an hour before the newest are dropped, and their number is bounded."""
    known = added(added((), instant(0)), instant(HOUR - MICROSECOND))
    assert known == instants(0, HOUR - MICROSECOND)
    assert added(known, instant(HOUR)) == instants(HOUR - MICROSECOND, HOUR)
    assert added(known, instant(HOUR - 30)) == instants(0, HOUR - 30, HOUR - MICROSECOND)
    many: tuple[int, ...] = ()
    for second in range(3 * MOST):
        many = added(many, instant(second))
    assert many == instants(*range(2 * MOST, 3 * MOST))


def test_an_instant_from_the_future_hides_nothing() -> None:
    """If the clock steps back, an instant from before that is dropped with the next one; a late commit drops none."""
    day = 24 * HOUR
    assert added(instants(day), instant(100)) == instants(100)
    assert added(instants(160), instant(100)) == instants(100, 160)
    assert added(instants(160 + MICROSECOND), instant(100)) == instants(100)
    start = folded(begun(0, "Provisioned/Running"), seen(0, "Provisioned/Running"))
    ahead = folded(start, *crash_loop(day, 1, 600))
    assert ahead.recent.restarts == instants(day + 5)
    for event in crash_loop(60, 3, 600):
        ahead = folded(ahead, event)
    assert ahead.recent.restarts == instants(65, 665, 1265)


def test_absences_are_forgotten_after_a_quarter_of_an_hour() -> None:
    """Absences are dropped a quarter of an hour after their end, and their number is bounded."""
    absences = with_absence((), instant(0), instant(10))
    assert with_absence(absences, instant(900), instant(910 - MICROSECOND)) == (
        *absences,
        (instant(900), instant(910 - MICROSECOND)),
    )
    assert with_absence(absences, instant(900), instant(910)) == ((instant(900), instant(910)),)
    assert with_absence((), instant(10), instant(9)) == ((instant(10), instant(10)),)
    many: tuple[tuple[int, int], ...] = ()
    for number in range(2 * MOST_ABSENCES):
        many = with_absence(many, instant(number), instant(number + 0.5))
    assert len(many) == MOST_ABSENCES
    assert many[-1][1] == instant(2 * MOST_ABSENCES - 0.5)


def test_a_gap_of_the_log_is_not_guessed() -> None:
    """The first event after a gap is no start, but an error in it did appear."""
    start = folded(begun(0, "Provisioned/Running"), seen(0, "Provisioned/Running"))
    history, _ = fold(start, [seen(500, "Stopped!"), seen(510, "Stopped")], instant(0), gap_since=instant(10))
    assert history.recent == RecentActivity(errors=instants(500))


def test_rows_of_an_old_server() -> None:
    """Changes between two rows of an old server count at the instants of the rows."""
    history = begun(0, "Provisioned/Running")
    for number, statuses in enumerate(
        ("Stopping!", "Stopped!", "Provisioned/Initializing", "Provisioned/Unavailable")
    ):
        at = 60.0 * (number + 1)
        history = evaluate_row(history, row(at, statuses), instant(at + 2), instant(at)).history
    assert history.recent == RecentActivity(errors=instants(60), stops=instants(120), losses=instants(240))


def test_a_pipeline_that_did_nothing_keeps_nothing() -> None:
    """A pipeline without activity keeps nothing, so it costs nothing in the store."""
    assert did("Provisioned/Running", "Provisioned/Paused", "Provisioned/Running") == NOTHING
