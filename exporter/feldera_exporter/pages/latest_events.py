"""The latest events of a pipeline, which Feldera is asked for when a page shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from feldera_exporter.feldera.json_decoding import UNREADABLE
from feldera_exporter.feldera.wire import Cut, Event, FullEvent
from feldera_exporter.pages import formatting

_NOTHING: Final = frozenset({b"null", b"{}", b"[]", b'""', b""})
_LONGEST: Final = 256 * 1024
"""Bytes of JSON that are indented; longer JSON is shown as it came."""


@dataclass(frozen=True, slots=True)
class LatestEvents:
    """The event log and the newest event in full.

    Attributes:
        events: the log, the newest first; None where it could not be read.
        newest: the newest event in full; None where it could not be read.
        problem: why one could not be read, in a line without secrets; empty where both could.
    """

    events: Sequence[Event] | None = None
    newest: FullEvent | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The beginning of a text.

    Attributes:
        text: the beginning.
        whole: the length of the whole text, in words; empty where nothing is missing.
    """

    text: str
    whole: str


def excerpt(text: str, cut: Cut | None = None) -> Excerpt:
    """Return the part of a text that is shown.

    Args:
        text: the text, or its beginning.
        cut: the size of the whole text, where this is its beginning.
    """
    shown, missing = formatting.cut(text)
    if cut is not None:
        return Excerpt(shown, formatting.count(cut.size, "byte"))
    return Excerpt(shown, formatting.count(len(text), "character") if missing else "")


def laid_out(details: msgspec.Raw, cut: Cut | None = None) -> Excerpt | None:
    """Return details, which are any JSON, indented; None where they are empty.

    Args:
        details: the details, or a string with their beginning.
        cut: the size of the whole, where this is its beginning.
    """
    text = bytes(details)
    if text.strip() in _NOTHING:
        return None
    try:
        # A string is shown without quotes, with its line breaks.
        if text.startswith(b'"'):
            return excerpt(msgspec.json.decode(text, type=str), cut)
        if len(text) <= _LONGEST:
            text = msgspec.json.format(text, indent=2)
    except UNREADABLE:
        # The JSON was not decoded before. What is not JSON is shown as it came.
        pass
    return excerpt(text.decode("utf-8", errors="replace"))
