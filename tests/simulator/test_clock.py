"""The stand-in's clocks and ids."""

import pytest

from feldera_exporter.micros import SECOND
from feldera_exporter.simulator.api_errors import refusal
from feldera_exporter.simulator.event_queue import EventQueue
from feldera_exporter.simulator.timestamps import http_date, instant_text
from feldera_exporter.simulator.uuid7 import Uuid7, uuid_text
from support.clocks import EPOCH, ManualClock, ScaledClock, SkewedClock


def test_a_manual_clock_moves_only_by_advance() -> None:
    """It advances by exact microseconds, and never goes back."""
    clock = ManualClock(5)
    assert clock.now() == 5
    assert clock.advance(0.000001) == clock.now() == 6
    with pytest.raises(ValueError, match="advanced by -1"):
        clock.advance(-1)


def test_a_scaled_clock_runs_faster() -> None:
    """At speed 60, two seconds are two minutes."""
    wall = [10.0]
    clock = ScaledClock(EPOCH, 60, lambda: wall[0])
    assert clock.now() == EPOCH
    wall[0] += 2
    assert clock.now() == EPOCH + 120 * SECOND


def test_a_skewed_clock_is_off_by_a_constant() -> None:
    """A skewed clock follows the other clock at a constant distance."""
    clock = ManualClock()
    skewed = SkewedClock(clock, -3)
    clock.advance(10)
    assert skewed.now() == EPOCH + 7 * SECOND


def test_what_is_refused_is_over_and_everything_else_goes_on() -> None:
    """A refusal within a scheduled action reaches no caller of `advance`; a defect does."""
    queue, ran = EventQueue(0), list[str]()

    def refuse() -> None:
        ran.append("refused")
        raise refusal("DuplicateName")

    queue.at(1, refuse)
    queue.at(1, ran.append, "next")
    queue.run(2)
    assert (ran, queue.now) == (["refused", "next"], 2)
    queue.at(3, next, iter(()))
    with pytest.raises(StopIteration):
        queue.run(3)


def test_the_agenda_keeps_the_order() -> None:
    """Actions run by their instant, then in the order of their scheduling, and see their own instant."""
    queue, ran = EventQueue(0), list[tuple[str, int]]()

    def note(name: str) -> None:
        ran.append((name, queue.now))
        queue.run(100)  # from within: nothing

    queue.at(7, note, "late")
    queue.at(3, note, "early")
    queue.at(7, note, "later")
    queue.run(6)
    assert ran == [("early", 3)]
    assert queue.now == 6
    queue.at(1, note, "overdue")
    queue.run(7)
    assert ran[1:] == [("overdue", 6), ("late", 7), ("later", 7)]


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (EPOCH, "2026-08-21T12:00:00Z"),
        (EPOCH + 120_000, "2026-08-21T12:00:00.120Z"),
        (EPOCH + 1, "2026-08-21T12:00:00.000001Z"),
        (0, "1970-01-01T00:00:00Z"),
    ],
)
def test_a_timestamp_has_the_digits_it_needs(micros: int, text: str) -> None:
    """A timestamp has no, three or six digits of a second."""
    assert instant_text(micros) == text


def test_the_date_header_is_in_whole_seconds() -> None:
    """The Date header has HTTP's form."""
    assert http_date(EPOCH + 999_999) == "Fri, 21 Aug 2026 12:00:00 GMT"


def test_uuids_are_ordered_within_a_process() -> None:
    """Ids ascend within one millisecond and when the clock goes back; version and variant are right."""
    make = Uuid7("a")
    ids = [make(EPOCH), make(EPOCH), make(EPOCH + 5_000), make(EPOCH - 9_000_000)]
    assert ids == sorted(set(ids))
    for text in map(uuid_text, ids):
        assert text[14] == "7"
        assert text[19] in "89ab"
    assert ids[0] >> 80 == EPOCH // 1000


def test_uuids_are_reproducible_and_carry_their_processs_skew() -> None:
    """A seed makes the same ids; a process whose clock is ahead makes later ones."""
    assert Uuid7("a")(EPOCH) == Uuid7("a")(EPOCH) != Uuid7("b")(EPOCH)
    assert Uuid7("a", 2_000_000)(EPOCH) >> 80 == EPOCH // 1000 + 2000
