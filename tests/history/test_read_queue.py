"""Which pipelines' events are read at a poll."""

from msgspec.structs import replace

from feldera_exporter.history.initial import initial_history
from feldera_exporter.history.read_queue import changed_rows, plan, unsettled, with_new_events
from history.making import instant, row

A, B = row(0, "Provisioned/Running", name="a"), row(0, "Stopped", name="b")
ROWS = {A.id: A, B.id: B}


def test_only_what_moved_is_read() -> None:
    """Heartbeats and metadata move nothing; a status, an instant, an error or a new pipeline does."""
    assert with_new_events(ROWS, ROWS, ROWS) == []
    assert with_new_events(ROWS, {A.id: replace(A, tags=("x",)), B.id: B}, ROWS) == []
    assert with_new_events(ROWS, {A.id: row(5, "Provisioned/Running", name="a"), B.id: B}, ROWS) == [A.id]
    assert with_new_events({A.id: A}, ROWS, ROWS) == [B.id]


def test_the_very_same_row_need_not_be_looked_at() -> None:
    """Where nothing happened the list of before gives the identical rows."""
    assert changed_rows(ROWS, ROWS) == []
    assert changed_rows(ROWS, {A.id: replace(A), B.id: B}) == [A.id]
    assert changed_rows({A.id: A}, ROWS) == [B.id]


def test_after_a_restart_only_what_differs_is_read() -> None:
    """A stored history that agrees with its row costs no request."""
    histories = {A.id: initial_history(A, instant(5), instant(2))}
    assert unsettled(histories, ROWS, [A.id]) == []
    assert unsettled(histories, {A.id: row(5, "Provisioned/Paused", name="a")}, [A.id]) == [A.id]


def test_what_does_not_fit_is_carried_on() -> None:
    """What waits longest is read first."""
    first = plan(["a", "b", "c"], {}, "abcd", "abcd", 10, budget=1)
    assert dict(first.to_read) == {"a": 10}
    assert dict(first.backlog) == {"b": 10, "c": 10}
    second = plan(["d"], first.backlog, "abcd", "abcd", 20, budget=2)
    assert list(second.to_read) == ["b", "c"]
    assert dict(second.backlog) == {"d": 20}


def test_what_cannot_be_read_waits() -> None:
    """A pipeline whose log cannot be asked for stays pending, takes nobody's place, and is read afterwards."""
    spoilt = plan(["b"], {"a": 10}, "ab", "b", 20, budget=1)
    assert (dict(spoilt.to_read), dict(spoilt.backlog)) == ({"b": 20}, {"a": 10})


def test_what_is_pending_keeps_its_confirmation() -> None:
    """A pipeline that moves again while it waits was complete only up to the first move."""
    assert dict(plan(["a"], {"a": 10}, {"a"}, {"a"}, 20, budget=9).to_read) == {"a": 10}


def test_what_vanished_is_forgotten() -> None:
    """Its log is gone with it."""
    assert plan([], {"a": 10}, set(), set(), 20, budget=9).to_read == {}
