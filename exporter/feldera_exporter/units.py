"""Parses and formats durations and sizes.

Durations follow Prometheus's syntax (prometheus/common `model/time.go`, `ParseDuration`): units y w d h m s ms, each
at most once and in this order, whole numbers only. A year is 365 days.
"""

import math
import re
from typing import Final

_MILLISECONDS: Final = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
_DURATION: Final = re.compile("".join(f"(?:(?P<{unit}>[0-9]+){unit})?" for unit in _MILLISECONDS))
# Prometheus keeps a duration in 64-bit nanoseconds, about 292 years.
_LONGEST: Final = (2**63 - 1) // 1_000_000

_BYTES: Final = {
    "TiB": 2**40,
    "GiB": 2**30,
    "MiB": 2**20,
    "KiB": 2**10,
    "TB": 10**12,
    "GB": 10**9,
    "MB": 10**6,
    "KB": 10**3,
    "B": 1,
}
_SIZE: Final = re.compile(rf"([0-9]+)({'|'.join(_BYTES)})")
_LARGEST: Final = 2**63 - 1


def parse_duration(text: str) -> float:
    """Return a duration such as `1h30m` in seconds.

    Raises:
        ValueError: the text is not a duration, or longer than Prometheus allows.
    """
    match = _DURATION.fullmatch(text)
    if not match or not text:
        raise ValueError("not a duration")
    total = sum(int(count) * _MILLISECONDS[unit] for unit, count in match.groupdict().items() if count)
    if total > _LONGEST:
        raise ValueError("longer than 292 years")
    return total / 1000


def format_duration(seconds: float) -> str:
    """Return seconds, rounded to milliseconds, as text for `parse_duration`; `none` for infinity."""
    if math.isinf(seconds):
        return "none"
    rest = round(seconds * 1000)
    text = ""
    # Weeks and years are exact but hard to read beside days.
    for unit in ("d", "h", "m", "s", "ms"):
        count, rest = divmod(rest, _MILLISECONDS[unit])
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def parse_size(text: str) -> int:
    """Return a size such as `64MiB` (powers of 1024) or `10MB` (powers of 1000) in bytes.

    Raises:
        ValueError: the text is not a size, or does not fit into 64 bits.
    """
    match = _SIZE.fullmatch(text)
    if not match:
        raise ValueError("not a size")
    count, unit = match.groups()
    size = int(count) * _BYTES[unit]
    if size > _LARGEST:
        raise ValueError("more than 64 bits hold")
    return size


def format_size(size: int) -> str:
    """Return bytes as text for `parse_size`, in the largest unit without a fraction."""
    unit = next(unit for unit, each in _BYTES.items() if size % each == 0 and (size or each == 1))
    return f"{size // _BYTES[unit]}{unit}"
