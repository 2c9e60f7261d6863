"""The rules of the fold, one by one."""

import pytest

from feldera_exporter.feldera.label_variants import OTHER
from feldera_exporter.history.bounded_labels import MOST
from feldera_exporter.history.effects import ErrorAppeared, Gap, StatusEnded
from feldera_exporter.history.fold import fold
from feldera_exporter.history.history import History
from feldera_exporter.history.initial import initial_history
from feldera_exporter.history.observation import Observation
from feldera_exporter.history.status_time import exact, seconds, watched
from support.history_examples import SECOND, begun, instant, row, seen

NOTHING: dict[object, int] = {}


def folded(history: History, *log: Observation, published: float = 0) -> History:
    """Return a history with a log folded in, without the effects."""
    return fold(history, log, instant(published))[0]


def test_an_answer_adds_each_transition_once() -> None:
    """Each change between neighbours is counted once under its pair, and each entered runtime status under its name."""
    start = begun(0, "Stopped//Success/Cleared")
    log = (
        seen(0, "Stopped//Success/Cleared"),
        seen(5, "Stopped//Success/InUse"),
        seen(5, "Provisioning", serial=1),
        seen(8, "Provisioned/Initializing"),
        seen(10, "Provisioned/Running"),
    )
    history = folded(start, *log)
    assert history.counts.resources == {("Stopped", "Provisioning"): 1, ("Provisioning", "Provisioned"): 1}
    assert history.counts.runtime == {"Initializing": 1, "Running": 1}
    assert history.counts.storage == {("Cleared", "InUse"): 1}
    assert history.counts.program == NOTHING
    assert history.statuses.combined == "Running"
    assert (history.since.resources, history.since.runtime) == (instant(8), instant(10))


def test_an_answer_folded_again_adds_nothing() -> None:
    """An answer that is folded again returns the very same object, so that nothing is written."""
    log = (seen(0, "Stopped"), seen(5, "Provisioning"))
    once = folded(begun(0, "Stopped"), *log)
    again, effects = fold(once, log, instant(9))
    assert again is once
    assert effects == ()


def test_nothing_observed_changes_nothing() -> None:
    """An empty answer changes nothing."""
    start = begun(0, "Stopped")
    assert fold(start, (), instant(0)) == (start, ())


def test_equal_neighbours_are_no_transition() -> None:
    """Heartbeats, changed details and repeated requests only move the log position."""
    start = folded(begun(0, "Provisioned/Running"), seen(0, "Provisioned/Running"))
    history = folded(start, seen(600, "Provisioned/Running"))
    assert history.counts == start.counts
    assert history.status_time == start.status_time
    assert history.log_position.newest == instant(600)


def test_what_was_before_the_first_sight_does_not_count() -> None:
    """Events up to the one that matches the first row are not counted."""
    history = folded(
        begun(10, "Provisioned/Running", seen_at=30),
        seen(0, "Stopped"),
        seen(5, "Provisioning"),
        seen(8, "Provisioned/Initializing"),
        seen(10, "Provisioned/Running"),
        seen(40, "Provisioned/Paused"),
    )
    assert history.counts.resources == NOTHING
    assert history.counts.runtime == {"Paused": 1}


def test_a_dismissal_before_the_first_sight_is_found_in_the_log() -> None:
    """If two events of one transaction and a dismissal match, counting begins after the dismissal."""
    history = folded(
        begun(5, "Stopped", seen_at=30, desired_at=5),
        seen(5, "Stopped"),
        seen(5, "Stopped!", serial=1),
        seen(20, "Stopped"),
        seen(40, "Stopped!"),
    )
    assert history.errors.count == 1
    assert history.errors.at == instant(40)


def test_the_row_may_be_older_than_the_whole_log() -> None:
    """If the row's event is not retained, a later return to the same statuses is not taken for it."""
    history = folded(
        begun(0, "Provisioned/Running", seen_at=30),
        seen(40, "Provisioned/Paused"),
        seen(50, "Provisioned/Running"),
    )
    assert history.counts.runtime == {"Paused": 1, "Running": 1}


def test_heartbeats_stand_in_for_the_row() -> None:
    """An event before the first list with the row's statuses marks the log position too."""
    history = folded(
        begun(0, "Provisioned/Running/Success/InUse", seen_at=3000),
        seen(600, "Provisioned/Running/Success/InUse"),
        seen(1200, "Provisioned/Running/Success/InUse"),
        seen(3600, "Provisioned/Paused/Success/InUse"),
    )
    assert history.counts.runtime == {"Paused": 1}


def test_a_contradicting_log_counts_from_the_rows_event() -> None:
    """If no event has the row's statuses, counting begins after the event of the row's instant."""
    history = folded(begun(5, "Stopped", seen_at=30), seen(5, "Provisioning"), seen(9, "Stopping"))
    assert history.counts.resources == {("Stopped", "Stopping"): 1}


def test_times_that_only_the_log_has() -> None:
    """The log dates the storage status and the present error."""
    start = begun(50, "Stopped//Success/Clearing!", seen_at=90, desired_at=50)
    history = folded(
        start,
        seen(10, "Stopped"),
        seen(50, "Stopped!"),
        seen(60, "Stopped//Success/Clearing!"),
    )
    assert start.since.storage == instant(90)
    assert history.since.storage == instant(60)
    assert history.errors.at == instant(50)


def test_an_edit_of_a_pending_program_does_not_begin_its_status() -> None:
    """The row's instant is that of an edit; the log has the beginning of Pending."""
    start = initial_history(row(0, "Stopped//Pending", program_at=60), instant(90), instant(90))
    assert start.since.program == instant(60)
    log = (
        seen(20, "Stopped//Success"),
        seen(40, "Stopped//Pending"),
        seen(60, "Stopped//Pending"),
        seen(100, "Stopped//CompilingSql"),
    )
    assert fold(start, log, instant(90))[1] == (StatusEnded("Pending", 60 * SECOND),)


def test_a_guess_earlier_than_the_event_does_not_date_it() -> None:
    """The time of a list is exact to a second only, so the log's later beginning counts."""
    start = begun(50, "Stopped//Success/Clearing!", seen_at=59.5, desired_at=40)
    history = folded(start, seen(10, "Stopped"), seen(50, "Stopped!"), seen(60, "Stopped//Success/Clearing!"))
    assert history.since.storage == instant(60)
    assert history.errors.at == instant(50)


def test_an_earlier_error_does_not_date_the_present_one() -> None:
    """An error at the beginning of the log that was dismissed since does not date the present one."""
    start = begun(50, "Stopped!", seen_at=90, desired_at=20)
    history = folded(start, seen(10, "Stopped!"), seen(30, "Stopped"), seen(50, "Stopped!"))
    assert history.errors.at == instant(50)


def test_a_log_that_begins_with_the_error_does_not_date_it() -> None:
    """If the log begins with the error, the row's estimate stays."""
    history = folded(begun(50, "Stopped!", seen_at=90, desired_at=45), seen(50, "Stopped!"))
    assert history.errors.at == instant(45)


def test_a_late_commit_is_folded_after_newer_ones() -> None:
    """A late commit has an interval of 0, and no count is taken back."""
    start = folded(begun(0, "Provisioned/Initializing"), seen(0, "Provisioned/Initializing"))
    newer = folded(start, seen(10, "Provisioned/Running"))
    history = folded(newer, seen(10, "Provisioned/Running"), seen(8, "Provisioned/Paused", made=11))
    assert history.counts.runtime == {"Running": 1, "Paused": 1}
    assert history.status_time.closed == {"Initializing": 10 * SECOND}
    assert history.status_time.since == instant(10)
    assert seconds(history.status_time, instant(15)) == {"Initializing": 10 * SECOND, "Paused": 5 * SECOND}


def test_a_late_commit_of_a_slow_clock_is_found() -> None:
    """An id older than the watermark may be new: its time decides."""
    newer = folded(
        begun(0, "Provisioned/Running"), seen(0, "Provisioned/Running"), seen(100, "Provisioned/Paused")
    )
    history = folded(newer, seen(100, "Provisioned/Paused"), seen(101, "Provisioned/Running", made=20))
    assert history.counts.runtime == {"Paused": 1, "Running": 1}


def test_an_event_of_any_age_is_folded_once() -> None:
    """Each event is folded once, whatever the order of the answer and even if another answer lacked it."""
    old, new = seen(0, "Provisioned/Running"), seen(100, "Provisioned/Paused")
    history = folded(begun(0, "Provisioned/Running"), old, new)
    assert folded(history, new, old) is history
    assert folded(folded(history, new), old, new) == history


def test_becoming_null_is_no_entry() -> None:
    """A runtime status that becomes null has ended, and none is entered."""
    start = folded(begun(0, "Provisioned/Initializing"), seen(0, "Provisioned/Initializing"))
    history, effects = fold(start, (seen(4, "Stopping"),), instant(0))
    assert history.counts.runtime == NOTHING
    assert history.since.runtime is None
    assert effects == (StatusEnded("Initializing", 4 * SECOND),)


def test_an_error_set_dismissed_and_set_again_counts_twice() -> None:
    """Each change from no error to an error counts, also between two polls."""
    start = folded(begun(0, "Stopped"), seen(0, "Stopped"))
    log = (seen(1, "Stopped!"), seen(2, "Stopped"), seen(3, "Stopped!"), seen(4, "Stopped!"))
    history, effects = fold(start, log, instant(0))
    assert history.errors.count == 2
    assert (history.errors.present, history.errors.at) == (True, instant(3))
    assert effects == tuple(ErrorAppeared(each.event_id, None) for each in (log[0], log[2]))
    assert folded(history, seen(9, "Stopped")).errors.at is None


def test_a_timed_status_is_observed_once_when_it_ends() -> None:
    """A timed status is observed when it ends, also one that began before the first list."""
    history = folded(begun(2, "Provisioning", seen_at=6), seen(2, "Provisioning"))
    history, effects = fold(history, (seen(9, "Provisioned/Initializing"),), instant(0))
    assert effects == (StatusEnded("Provisioning", 7 * SECOND),)
    assert fold(history, (seen(9, "Provisioned/Initializing"),), instant(0))[1] == ()


def test_a_provisioned_pipeline_without_runtime_status_keeps_its_name() -> None:
    """Time of a deployed pipeline without a runtime status counts for `Provisioned`."""
    history = folded(begun(0, "Stopped"), seen(0, "Stopped"), seen(3, "Provisioned"))
    assert history.statuses.combined == "Provisioned"
    assert seconds(history.status_time, instant(4)) == {"Stopped": 3 * SECOND, "Provisioned": SECOND}


def one_by_one(history: History, *log: Observation) -> History:
    """Return a history with a log folded in, as each event was read by itself."""
    for event in log:
        history = folded(history, event)
    return history


@pytest.fixture(scope="module")
def many() -> History:
    """A history with 500 made-up values of each status."""
    log = (
        each
        for turn in range(0, 1000, 2)
        for each in (
            seen(turn + 1, f"Made{turn}/Odd{turn}/Up{turn}/Store{turn}"),
            seen(turn + 2, "Provisioned/Running"),
        )
    )
    return one_by_one(folded(begun(0, "Provisioned/Running"), seen(0, "Provisioned/Running")), *log)


class TestMadeUpStatuses:
    """A server that makes up statuses makes up no more series than a dozen per dimension."""

    def test_the_first_have_their_own_names(self) -> None:
        """The first unknown statuses keep their names."""
        each = folded(
            begun(0, "Provisioned/Running"), seen(0, "Provisioned/Running"), seen(1, "Provisioned/Resting")
        )
        assert each.counts.runtime == {"Resting": 1}
        assert seconds(each.status_time, instant(3)) == {"Running": SECOND, "Resting": 2 * SECOND}

    def test_the_others_share_one(self, many: History) -> None:
        """The further ones share one name, and nothing that was counted is lost."""
        counts = many.counts
        for pairs in (counts.resources, counts.program, counts.storage):
            names = {name for pair in pairs for name in pair}
            assert OTHER in names
            assert len(names) <= MOST + 2
            assert sum(pairs.values()) == 1000
        assert counts.runtime[OTHER] == 500 - MOST
        assert counts.runtime["Running"] == 500
        assert len(counts.runtime) == MOST + 2

    def test_time_adds_up(self, many: History) -> None:
        """Time of further statuses goes to the shared label, and the sum is right."""
        assert many.statuses.combined == "Running"
        spent = seconds(many.status_time, instant(1010))
        assert sum(spent.values()) == watched(many.status_time, instant(1010))
        assert len(spent) == MOST + 2
        assert spent[OTHER] == (500 - MOST) * SECOND

    def test_one_after_the_other(self, many: History) -> None:
        """A change between two of the further statuses is a transition, and its time goes on."""
        more = one_by_one(many, seen(1001, "X"), seen(1002, "Y"), seen(1004, "Stopped"))
        assert more.counts.resources[OTHER, OTHER] == 1
        before = seconds(many.status_time, instant(1001))[OTHER]
        assert seconds(more.status_time, instant(1005))[OTHER] - before == 3 * SECOND

    def test_folding_is_pure(self) -> None:
        """Folded in one portion or in many, the names are the same."""
        events = [seen(turn, f"Provisioned/Odd{turn}") for turn in range(1, 40)]
        start = folded(begun(0, "Provisioned/Running"), seen(0, "Provisioned/Running"))
        steps = one_by_one(start, *events)
        assert folded(start, *events).counts == steps.counts
        assert exact(folded(start, *events).status_time, instant(50)) == exact(steps.status_time, instant(50))


class TestGap:
    """Events were purged before they could be read."""

    START = folded(begun(0, "Provisioned/Running"), seen(0, "Provisioned/Running"))

    def test_counting_continues_from_the_oldest_event(self) -> None:
        """Purged events are not guessed; later ones count."""
        log = (seen(500, "Stopped"), seen(510, "Provisioning"))
        history, effects = fold(self.START, log, instant(95), gap_since=instant(100))
        assert history.counts.resources == {("Stopped", "Provisioning"): 1}
        assert effects == (Gap(instant(500)),)
        assert history.gaps == 1

    def test_its_time_goes_to_no_status(self) -> None:
        """The time of a gap belongs to no status; the watched time adds up without it."""
        history = fold(self.START, (seen(500, "Stopped"),), instant(95), gap_since=instant(100))[0]
        assert seconds(history.status_time, instant(505)) == {"Running": 100 * SECOND, "Stopped": 5 * SECOND}
        assert watched(history.status_time, instant(505)) == 105 * SECOND

    def test_an_error_that_is_there_after_it_counts(self) -> None:
        """An error after a gap is counted, whatever else was purged."""
        history, effects = fold(self.START, (seen(500, "Stopped!"),), instant(95), gap_since=instant(100))
        assert history.errors.count == 1
        assert effects[1] == ErrorAppeared(seen(500, "").event_id, None)

    @pytest.mark.parametrize("status", ["Provisioned/Initializing", "Provisioned/Unavailable"])
    def test_a_timed_status_after_it_is_not_observed(self, status: str) -> None:
        """A timed status after a gap is not observed, as its beginning is unknown."""
        history = fold(self.START, (seen(500, status),), instant(95), gap_since=instant(100))[0]
        assert fold(history, (seen(501, "Provisioned/Running"),), instant(0))[1] == ()


class TestPublishedTime:
    """A counter that was published never falls."""

    def test_it_holds_until_the_exact_value_catches_up(self) -> None:
        """If the log shortens a credited interval, the counter stands until the exact value reaches it."""
        start = folded(begun(0, "Provisioned/Running"), seen(0, "Provisioned/Running"))
        assert seconds(start.status_time, instant(50)) == {"Running": 50 * SECOND}
        history = folded(start, seen(45, "Provisioned/Paused"), published=50)
        assert seconds(history.status_time, instant(52)) == {"Running": 50 * SECOND, "Paused": 7 * SECOND}
        history = folded(history, seen(60, "Provisioned/Running"), published=52)
        assert seconds(history.status_time, instant(63))["Running"] == 50 * SECOND
        assert seconds(history.status_time, instant(66))["Running"] == 51 * SECOND
        assert folded(history, seen(70, "Provisioned/Paused"), published=66).status_time.held == NOTHING

    def test_an_as_of_that_moves_back_is_the_last_one(self) -> None:
        """An instant that moves back counts as the last one."""
        start = folded(begun(0, "Provisioned/Running"), seen(0, "Provisioned/Running"))
        history = folded(start, seen(10, "Provisioned/Paused"), published=20)
        assert seconds(history.status_time, instant(12)) == seconds(history.status_time, instant(20))


class TestClockThatStepsBack:
    """An event that is not known is news, whatever its clock says."""

    @pytest.mark.parametrize("ahead", [150, 6 * 3600])
    def test_what_follows_counts(self, ahead: float) -> None:
        """Events after a step back count, one by one or together, and again after a second reading of the log."""
        start = [seen(ahead, "Provisioned/Running"), seen(ahead + 1, "Provisioned/Paused")]
        history = folded(begun(ahead, "Provisioned/Running"), *start)
        log = [*start]
        for turn in range(80):
            log.append(seen(10 + turn, ("Provisioned/Running", "Provisioned/Paused")[turn % 2]))
            history = folded(history, *log[-700:])
            assert folded(history, *log) is history
        assert history.counts.runtime["Running"] == 40
        assert history.counts.runtime["Paused"] == 41
        assert history.log_position.newest == instant(ahead + 1)

    def test_an_event_from_the_future_hides_nothing(self) -> None:
        """An event of the future hides no later one; the log position comes down once it is gone."""
        future = seen(2_000_000_000, "Provisioned/Paused")
        log = [seen(0, "Provisioned/Running"), future]
        history = folded(begun(0, "Provisioned/Running"), *log)
        log += [seen(100, "Provisioned/Running"), seen(200, "Provisioned/Paused")]
        history = folded(history, *log)
        assert history.counts.runtime == {"Paused": 2, "Running": 1}
        history = folded(history, log[2], log[3])
        assert history.log_position.newest == instant(200)
        assert history.gaps == 0

    def test_a_step_between_new_events_is_a_gap(self) -> None:
        """A step back between new events is a gap, as their order is a guess."""
        start = [seen(1000, "Provisioned/Running")]
        history = folded(begun(1000, "Provisioned/Running"), *start)
        new = [seen(1001, "Provisioned/Paused"), seen(100, "Provisioned/Running")]
        history, effects = fold(history, [*start, *new], instant(0))
        assert history.gaps == 1
        assert Gap(instant(1001)) in effects
