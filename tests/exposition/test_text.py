from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feldera_exporter.exposition.text import Format, header, labels, number, seconds


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "0"),
        (1, "0.000001"),
        (1_500_000, "1.5"),
        (1_787_313_600_123_456, "1787313600.123456"),
        (60_000_000, "60"),
        (-1_500_000, "-1.5"),
    ],
)
def test_microseconds_become_seconds_without_rounding(micros: int, text: str) -> None:
    """Whole microseconds are written as decimal seconds, without trailing zeros."""
    assert seconds(micros) == text


@given(st.integers(-(10**16), 10**16))
def test_seconds_read_back_to_the_same_microseconds(micros: int) -> None:
    """The float that a parser reads is the nearest to the exact value."""
    assert float(seconds(micros)) == micros / 1_000_000


@pytest.mark.parametrize(
    ("value", "text"), [(inf, "+Inf"), (600.0, "600"), (3, "3"), (0.25, "0.25"), (1e300, str(int(1e300)))]
)
def test_numbers_are_written_as_both_formats_read_them(value: float, text: str) -> None:
    """Infinity carries its sign; whole numbers carry no fraction."""
    assert number(value) == text


def test_label_values_are_escaped() -> None:
    """Backslash, quote and line feed do not end a label's value."""
    assert labels([("a", 'x"\\\n'), ("b", "ü")]) == r'a="x\"\\\n",b="ü"'


def test_headers_differ_where_the_formats_do() -> None:
    """OpenMetrics names a counter without its suffix and escapes quotes."""
    assert header("errors", "counter", 'a "b"\n', Format.TEXT) == (
        b'# HELP errors_total a "b"\\n\n# TYPE errors_total counter\n'
    )
    assert header("errors", "counter", 'a "b"', Format.OPENMETRICS) == (
        b'# HELP errors a \\"b\\"\n# TYPE errors counter\n'
    )
