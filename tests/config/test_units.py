"""Durations and sizes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feldera_exporter.units import format_duration, format_size, parse_duration, parse_size

COUNTS = st.integers(0, 50)
UNITS = ("y", "w", "d", "h", "m", "s", "ms")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5s", 5),
        ("1h30m", 5400),
        ("250ms", 0.25),
        ("1d", 86400),
        ("1w", 604_800),
        ("1y", 31_536_000),
        ("0s", 0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    """Durations mean what they mean in Prometheus."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "s",
        "1.5h",
        "-1s",
        "1s1m",
        "1s 1ms",
        "1S",
        " 1s",
        "1s\n",
        "1m1m",
        "٣s",
        "293y",
        f"{'9' * 400}s",
    ],
)
def test_no_durations(text: str) -> None:
    """Durations that Prometheus refuses are refused."""
    with pytest.raises(ValueError, match=r"^not a duration$|^longer than 292 years$"):
        parse_duration(text)


@given(st.integers(0, 10**12))
def test_durations_round_trip(milliseconds: int) -> None:
    """A formatted duration is read as the same one, to the millisecond."""
    assert parse_duration(format_duration(milliseconds / 1000)) == milliseconds / 1000


@given(st.tuples(*[COUNTS] * len(UNITS)))
def test_durations_add_up(counts: tuple[int, ...]) -> None:
    """A duration is the sum of its parts."""
    parts = [f"{count}{unit}" for count, unit in zip(counts, UNITS, strict=True)]
    assert math.isclose(parse_duration("".join(parts)), sum(map(parse_duration, parts)))


@given(st.text("0123456789ywdhms. ", max_size=12))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    """Any text is a duration of at least zero, or raises ValueError."""
    try:
        assert parse_duration(text) >= 0
    except ValueError as error:
        assert str(error) in {"not a duration", "longer than 292 years"}  # noqa: PT017 - either outcome is right


def test_infinite_duration_is_none() -> None:
    """A missing limit is written as it is read."""
    assert format_duration(math.inf) == "none"
    assert format_duration(0) == "0s"
    assert format_duration(5400) == "1h30m"


@pytest.mark.parametrize(
    ("text", "size"),
    [("64MiB", 67_108_864), ("10MB", 10_000_000), ("1KiB", 1024), ("7B", 7), ("0B", 0), ("2TB", 2 * 10**12)],
)
def test_sizes(text: str, size: int) -> None:
    """Units with an i are powers of 1024, those without are powers of 1000."""
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "64", "MiB", "64M", "64 MiB", "1.5GiB", "-1B", "64mib", "8388608TiB"])
def test_no_sizes(text: str) -> None:
    """A size without a unit or with a fraction or beyond 64 bits is refused."""
    with pytest.raises(ValueError, match=r"^not a size$|^more than 64 bits hold$"):
        parse_size(text)


@given(st.integers(0, 2**63 - 1))
def test_sizes_round_trip(size: int) -> None:
    """A formatted size is read as the same one, exactly."""
    assert parse_size(format_size(size)) == size


def test_sizes_are_short() -> None:
    """A size is written in its largest whole unit."""
    assert [format_size(size) for size in (0, 1023, 1024, 64 * 2**20, 10_000_000)] == [
        "0B",
        "1023B",
        "1KiB",
        "64MiB",
        "10MB",
    ]
