"""Durations, instants and texts as the pages write them."""

import math

import pytest

from feldera_exporter.pages.formatting import count, duration, instant, limit, moment, visible


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.9, "0s"),
        (59, "59s"),
        (60, "1m"),
        (61.5, "1m 1s"),
        (3600, "1h"),
        (3660, "1h 1m"),
        (86_400, "1d"),
        (93_600, "1d 2h"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    """A duration is cut to its two largest units, not rounded."""
    assert duration(seconds) == text


def test_a_limit_may_be_none() -> None:
    """Without a limit nothing is written."""
    assert (limit(math.inf), limit(600)) == ("", "10m")


def test_a_moment_has_its_date_unless_it_is_today() -> None:
    """Instants are in UTC in any local zone, with the date unless it is today."""
    now = 1_787_313_600_000_000
    assert moment(now - 1_000_000, now).text == "11:59:59"
    assert moment(now - 86_400_000_000, now).text == "2026-08-20 12:00:00"
    assert instant(now) == "2026-08-21T12:00:00Z"


def test_numbers_agree_with_their_nouns() -> None:
    """One is followed by a singular, other numbers by a plural."""
    assert [count(n, "pipeline") for n in (0, 1, 1000)] == ["0 pipelines", "1 pipeline", "1,000 pipelines"]


def test_control_characters_are_seen() -> None:
    """Control characters are replaced by visible ones; line breaks and all letters stay."""
    assert visible("a\x00\x1b\x7f\x85\u202eb") == "a␀␛␡\ufffd\ufffdb"
    assert visible("two\nlines\tא") == "two\nlines\tא"


@pytest.mark.parametrize(
    ("micros", "text"), [(-(10**18), "1970-01-01T00:00:00Z"), (10**18, "9999-12-31T23:59:59Z")]
)
def test_an_instant_beyond_the_calendar(micros: int, text: str) -> None:
    """Such an instant becomes the first or the last of the years 1970 to 9999."""
    assert instant(micros) == text
