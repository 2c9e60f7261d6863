"""The evaluation of answers of the events endpoint."""

import pytest
from msgspec.structs import replace

from feldera_exporter.feldera.wire import Event, Row
from feldera_exporter.history.answer_evaluation import UNKNOWN_CODE, Evaluation, evaluate_events, evaluate_row
from feldera_exporter.history.effects import ErrorAppeared, Gap, StatusEnded
from feldera_exporter.history.history import History
from feldera_exporter.history.initial import initial_history, initial_history_from_creation
from feldera_exporter.history.row_digest import row_digest
from support.history_examples import begun, event, identity, instant, row, seen

RUNNING = row(0, "Provisioned/Running")


def evaluated(history: History, now: Row, *events: Event, confirmed: float = 0) -> Evaluation:
    """Return the evaluation of an answer."""
    return evaluate_events(history, events, now, instant(confirmed), instant(0))


def heartbeats(first: int, number: int, statuses: str = "Provisioned/Running") -> list[Event]:
    """Return so many events, ten minutes apart."""
    return [event(seen(first + 600 * n, statuses)) for n in range(number)]


def test_an_answer_that_reaches_the_row_settles() -> None:
    """The history then has the row's digest, so that an unchanged row is not read again."""
    start = initial_history(RUNNING, instant(5), instant(2))
    paused = row(9, "Provisioned/Paused")
    evaluation = evaluated(
        start, paused, event(seen(0, "Provisioned/Running")), event(seen(9, "Provisioned/Paused"))
    )
    assert evaluation.settled
    assert evaluation.history.row_digest == row_digest(paused) != start.row_digest
    assert evaluation.history.counts.runtime == {"Paused": 1}
    again = evaluated(evaluation.history, paused, event(seen(9, "Provisioned/Paused")))
    assert again.history is evaluation.history


def test_an_answer_older_than_the_row_does_not_settle() -> None:
    """An instant of the row without an event means that events are missing, even with the same statuses."""
    start = initial_history(RUNNING, instant(5), instant(2))
    evaluation = evaluated(start, row(20, "Provisioned/Running"), event(seen(0, "Provisioned/Running")))
    assert not evaluation.settled
    assert evaluation.history.row_digest == start.row_digest


def test_an_empty_log_settles_only_what_is_the_same() -> None:
    """An empty log settles an unchanged row; if the row changed, its event is still to come."""
    start = initial_history(RUNNING, instant(5), instant(2))
    assert evaluated(start, RUNNING).settled
    assert not evaluated(start, row(9, "Provisioned/Paused")).settled


def test_a_known_event_proves_whose_answer_it_is() -> None:
    """An answer is the pipeline's own if an event overlaps; without a known event, any answer is."""
    first = evaluated(
        initial_history(RUNNING, instant(5), instant(2)), RUNNING, event(seen(0, "Provisioned/Running"))
    )
    assert not first.proven
    assert evaluated(first.history, RUNNING, event(seen(0, "Provisioned/Running"))).proven
    assert not evaluated(first.history, RUNNING, event(seen(1, "Provisioned/Running"))).proven


class TestGap:
    """Which answers have a gap."""

    KNOWN = evaluated(begun(0, "Provisioned/Running"), RUNNING, event(seen(0, "Provisioned/Running"))).history
    STOPPING = row(20_000, "Stopping", desired_at=20_000)

    def test_a_log_that_begins_after_the_last_confirmation_has_one(self) -> None:
        """If the row changed and no known event is retained, there is a gap."""
        log = [*heartbeats(6000, 23), event(seen(20_000, "Stopping"))]
        evaluation = evaluated(self.KNOWN, self.STOPPING, *log, confirmed=5000)
        assert Gap(instant(6000)) in evaluation.effects
        assert evaluation.history.gaps == 1
        assert evaluation.settled
        assert evaluation.history.status_time.unwatched == instant(6000) - instant(5000)

    def test_unread_heartbeats_are_none(self) -> None:
        """If the row had not changed by the last confirmation, after the oldest event, there is no gap."""
        log = [*heartbeats(6000, 23), event(seen(20_000, "Stopping"))]
        evaluation = evaluated(self.KNOWN, self.STOPPING, *log, confirmed=6500)
        assert evaluation.history.gaps == 0
        assert evaluation.history.counts.resources == {("Provisioned", "Stopping"): 1}

    def test_an_overlap_is_none(self) -> None:
        """If a known event is retained, all events after it are too, and there is no gap."""
        log = [event(seen(0, "Provisioned/Running")), *heartbeats(6000, 23)]
        assert evaluated(self.KNOWN, RUNNING, *log).history.gaps == 0

    def test_a_short_log_was_not_purged(self) -> None:
        """A pipeline unchanged since before the event log gets its first events late, which is no gap."""
        assert (
            evaluated(self.KNOWN, self.STOPPING, event(seen(20_000, "Stopping")), confirmed=5000).history.gaps
            == 0
        )

    def test_a_log_that_begins_with_the_creation_is_complete(self) -> None:
        """A log that begins with the creation has no gap."""
        new = replace(row(20_000, "Stopped"), created_at=event(seen(6000, "")).recorded_at)
        log = heartbeats(6000, 25, "Stopped//Pending/Cleared")
        assert (
            evaluated(
                initial_history_from_creation(new, instant(20_000)), new, *log, confirmed=5000
            ).history.gaps
            == 0
        )
        assert (
            evaluated(
                initial_history_from_creation(new, instant(20_000)), new, *log[1:], confirmed=5000
            ).history.gaps
            == 1
        )


LIFE = tuple(
    event(each)
    for each in (
        *(seen(9000 + turn, ("Provisioned/Running", "Provisioned/Paused")[turn % 2]) for turn in range(28)),
        seen(9028, "Provisioned/Initializing"),
        seen(9029, "Stopping!"),
        seen(9030, "Stopped!"),
        seen(9031, "Stopped"),
    )
)
"""A log with an error, a restart and a stop."""


class TestSteps:
    """Steps back of Feldera's clock, and rows that are not in the log."""

    KNOWN = evaluated(
        begun(9000, "Provisioned/Running"),
        row(9000, "Provisioned/Running"),
        event(seen(9000, "Provisioned/Running")),
    ).history
    STATUSES = ("Provisioned/Paused", "Provisioned/Running")

    def test_a_long_log_that_begins_with_a_new_event_has_a_gap(self) -> None:
        """A full log that begins with a new event has a gap, as Feldera purges the oldest events."""
        log = [event(seen(turn, self.STATUSES[turn % 2])) for turn in range(30)]
        now = row(29, "Provisioned/Running")
        for older in ([], [event(seen(9000, "Provisioned/Running"))]):
            evaluation = evaluated(self.KNOWN, now, *older, *log, confirmed=9000)
            assert evaluation.history.gaps == 1
            assert evaluation.settled

    def test_a_step_before_the_first_reading_is_a_gap(self) -> None:
        """If the events are older than the watch, there is a gap, and counting goes on from the row."""
        start = begun(9000, "Provisioned/Running")
        log = (event(seen(9000, "Provisioned/Running")), event(seen(100, "Provisioned/Paused")))
        evaluation = evaluated(start, row(100, "Provisioned/Paused"), *log, confirmed=9000)
        assert evaluation.history.gaps == 1
        assert evaluation.history.statuses.runtime == "Paused"
        assert evaluation.settled

    def test_a_row_whose_event_was_purged_is_a_gap(self) -> None:
        """If the row's event is not in a full log, its events may be from before the clock stepped back."""
        heartbeats = [event(seen(9000 + turn, "Provisioned/Running")) for turn in range(30)]
        known = evaluated(self.KNOWN, row(9000, "Provisioned/Running"), *heartbeats).history
        for statuses in self.STATUSES:
            evaluation = evaluated(known, row(100, statuses), *heartbeats, confirmed=9030)
            assert (evaluation.history.gaps, evaluation.history.statuses.combined) == (
                1,
                statuses.partition("/")[2],
            )
            assert evaluation.settled
            assert (
                evaluated(evaluation.history, row(100, statuses), *heartbeats, confirmed=9030).history
                is evaluation.history
            )

    def test_a_row_that_the_log_contradicts_is_a_gap(self) -> None:
        """If the clock steps back within one answer, the last event contradicts the row, which is a gap."""
        log = [
            event(seen(at, statuses))
            for at, statuses in (
                (9000, "Provisioned/Running"),
                (9100, "Provisioned/Paused"),
                (9080, "Provisioned/Running"),
            )
        ]
        now = row(9080, "Provisioned/Running")
        first = evaluated(self.KNOWN, now, *log, confirmed=9090)
        assert (first.settled, first.history.gaps) == (False, 0)
        second = evaluated(first.history, now, *log, confirmed=9090)
        assert (second.settled, second.history.gaps) == (True, 1)
        assert second.history.statuses.combined == "Running"

    def test_events_that_are_newer_than_the_row_are_not_lost(self) -> None:
        """A row older than the log is a gap; events that came after the list are kept."""
        heartbeats = [event(seen(9000 + turn, "Provisioned/Running")) for turn in range(30)]
        known = evaluated(self.KNOWN, row(9000, "Provisioned/Running"), *heartbeats).history
        log = [*heartbeats, event(seen(9040, "Provisioned/Paused"))]
        first = evaluated(known, row(100, "Provisioned/Running"), *log, confirmed=9030)
        assert (first.settled, first.history.statuses.combined) == (False, "Paused")
        assert first.history.gaps == 1
        assert Gap(instant(9030)) in first.effects
        second = evaluated(first.history, row(9040, "Provisioned/Paused"), *log, confirmed=9030)
        assert (second.settled, second.history.gaps) == (True, 1)
        assert second.history.counts.runtime == {"Paused": 1}

    @pytest.mark.parametrize("stepped_back", [True, False])
    def test_a_gap_counts_no_known_event_again(self, *, stepped_back: bool) -> None:
        """If a full log begins with a new event because the clock stepped back, only what is new is added."""
        before = evaluated(self.KNOWN, row(9031, "Stopped"), *LIFE, confirmed=9000)
        assert (before.settled, before.history.gaps, before.history.errors.count) == (True, 0, 1)
        new = event(seen(5400, "Provisioning", made=9032)), event(seen(5401, "Stopping", made=9033))
        after = evaluate_events(
            before.history,
            (*LIFE, *new),
            row(5401, "Stopping"),
            instant(9031),
            instant(0),
            stepped_back=stepped_back,
        )
        assert after.settled
        assert after.effects == (Gap(instant(5400)),)
        one_more = {**before.history.counts.resources, ("Provisioning", "Stopping"): 1}
        assert after.history.counts == replace(before.history.counts, resources=one_more)
        assert after.history.errors == before.history.errors
        assert after.history.recent == before.history.recent

    def test_an_event_from_the_future_among_new_ones_is_a_gap(self) -> None:
        """An event of the future among new events is a gap, as its place is a guess; alone it is none."""
        future = event(seen(2_000_000_000, "Provisioned/Paused"))
        others = [event(seen(9000, "Provisioned/Running")), event(seen(9001, "Provisioned/Unavailable"))]
        now = row(9001, "Provisioned/Unavailable")

        def gaps(*events: Event, stepped_back: bool = False) -> int:
            return evaluate_events(
                self.KNOWN,
                events,
                now,
                instant(9000),
                instant(0),
                instant(9005),
                stepped_back=stepped_back,
            ).history.gaps

        assert gaps(*others) == 0
        assert gaps(*others, future) == 1
        assert gaps(others[0], future) == 0
        assert gaps(*others, event(seen(9002, "Provisioned/Running"))) == 0
        assert gaps(*others, event(seen(9002, "Provisioned/Running")), stepped_back=True) == 1


class TestErrorCodes:
    """Where the code of an error comes from."""

    START = evaluated(begun(0, "Stopped"), row(0, "Stopped"), event(seen(0, "Stopped"))).history
    TWICE = (
        event(seen(0, "Stopped")),
        event(seen(2, "Stopped!")),
        event(seen(3, "Stopped")),
        event(seen(4, "Stopped!")),
    )

    def test_the_row_names_the_present_error(self) -> None:
        """An error that the list still shows needs no request."""
        evaluation = evaluated(self.START, row(0, "Stopped!", desired_at=4), *self.TWICE)
        assert evaluation.unnamed == (identity(2),)
        assert evaluation.history.errors.code == "RunnerCheckError"
        assert [e.code for e in evaluation.effects if isinstance(e, ErrorAppeared)] == [
            None,
            "RunnerCheckError",
        ]

    def test_others_are_asked_for(self) -> None:
        """The code of another error is in its event, which is requested with all fields."""
        evaluation = evaluated(self.START, row(0, "Stopped!", desired_at=4), *self.TWICE).named(
            {identity(2): "A"}
        )
        assert [e.code for e in evaluation.effects if isinstance(e, ErrorAppeared)] == [
            "A",
            "RunnerCheckError",
        ]
        assert evaluation.unnamed == ()

    def test_a_row_that_does_not_agree_names_none(self) -> None:
        """The error of a row that does not agree with the log may be an earlier one."""
        evaluation = evaluated(self.START, row(0, "Stopped!", desired_at=9), *self.TWICE)
        assert evaluation.unnamed == (identity(2), identity(4))
        named = evaluation.named({identity(2): "A", identity(4): UNKNOWN_CODE})
        assert named.history.errors.code == UNKNOWN_CODE
        assert named.named({}) == named

    def test_events_with_all_fields_name_themselves(self) -> None:
        """Events with all fields have their code, so nothing is requested."""
        log = (event(seen(0, "Stopped")), event(seen(2, "Stopped!"), "A"), event(seen(3, "Stopped!"), "B"))
        evaluation = evaluated(self.START, row(0, "Stopped!", desired_at=9), *log)
        assert evaluation.unnamed == ()
        assert evaluation.history.errors.code == "B"


def test_first_sight_agrees_with_its_row() -> None:
    """A new pipeline needs no log, except for the beginning of an error or of a clearing."""
    for statuses, reads in (("Stopped", False), ("Stopped!", True), ("Stopped//Success/Clearing", True)):
        listed = row(0, statuses)
        assert (initial_history(listed, instant(9), instant(6)).row_digest != row_digest(listed)) is reads


def test_first_sight_credits_time_from_the_as_of() -> None:
    """Time counts from the list or the row's later instant; an error while stopping from its beginning."""
    assert initial_history(row(0, "Stopped"), instant(9), instant(6)).status_time.began == instant(6)
    assert initial_history(
        row(8, "Provisioned/Running"), instant(9), instant(6)
    ).status_time.began == instant(8)
    assert initial_history(row(4, "Stopping!", desired_at=1), instant(9), instant(6)).errors.at == instant(4)
    assert initial_history(row(4, "Stopped!", desired_at=1), instant(9), instant(6)).errors.at == instant(1)


def test_a_created_pipeline_counts_from_its_creation() -> None:
    """The create event is no transition; all later ones are."""
    new = replace(
        row(9, "Stopped//SqlError/Cleared", program_at=9), created_at=event(seen(1, "")).recorded_at
    )
    log = [
        event(seen(at, f"Stopped//{program}/Cleared"))
        for at, program in ((1, "Pending"), (2, "CompilingSql"), (9, "SqlError"))
    ]
    evaluation = evaluated(initial_history_from_creation(new, instant(20_000)), new, *log)
    assert evaluation.settled
    assert evaluation.history.counts.program == {
        ("Pending", "CompilingSql"): 1,
        ("CompilingSql", "SqlError"): 1,
    }
    assert evaluation.history.status_time.began == instant(1)


def test_a_row_stands_for_an_event_on_old_servers() -> None:
    """The newest instant of a row dates a change; a change without one is dated by the poll."""
    start = initial_history(row(0, "Stopped"), instant(5), instant(2))
    evaluation = evaluate_row(start, row(8, "Provisioning"), instant(10), instant(2))
    assert evaluation.history.counts.resources == {("Stopped", "Provisioning"): 1}
    assert evaluation.history.since.resources == instant(8)
    assert evaluation.settled
    cleared = evaluate_row(
        evaluation.history, row(8, "Provisioning//Success/Cleared"), instant(15), instant(5)
    )
    assert cleared.history.since.storage == instant(15)
    failed = evaluate_row(cleared.history, row(16, "Stopping!"), instant(20), instant(5))
    assert failed.effects == (
        StatusEnded("Provisioning", instant(16) - instant(8)),
        ErrorAppeared(None, "RunnerCheckError"),
    )
    assert failed.named({}) == failed


def test_the_digest_ignores_what_writes_no_event() -> None:
    """Changed names, tags and heartbeats leave the digest as it is."""
    other = replace(RUNNING, name="q", tags=("a",), platform_version="1")
    assert row_digest(other) == row_digest(RUNNING)
    assert row_digest(replace(RUNNING, deployment_id="x")) != row_digest(RUNNING)
