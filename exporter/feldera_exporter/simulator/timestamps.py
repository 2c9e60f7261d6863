"""Instants in Feldera's format: RFC 3339 in UTC with 0, 3 or 6 fraction digits, as few as possible."""

from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

from feldera_exporter.micros import SECOND, Micros


@lru_cache(maxsize=65536)
def instant_text(instant: Micros) -> str:
    """Return an instant as chrono's `AutoSi` writes them."""
    second, fraction = divmod(instant, SECOND)
    text = _second_text(second)
    if not fraction:
        return f"{text}Z"
    return f"{text}.{fraction // 1000:03d}Z" if fraction % 1000 == 0 else f"{text}.{fraction:06d}Z"


@lru_cache(maxsize=8192)
def _second_text(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def http_date(instant: Micros) -> str:
    """Return an instant as the Date header has it, in whole seconds."""
    return format_datetime(datetime.fromtimestamp(instant // SECOND, UTC), usegmt=True)
