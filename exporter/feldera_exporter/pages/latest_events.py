"""What Feldera was asked about one pipeline for its page: the event log and the newest event in full."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from feldera_exporter.feldera.json_decoding import UNREADABLE
from feldera_exporter.feldera.wire import Cut, Event, FullEvent
from feldera_exporter.pages import formatting

_NOTHING: Final = frozenset({b"null", b"{}", b"[]", b'""', b""})
_LONGEST: Final = 256 * 1024
"""Bytes of JSON that are laid out for people; what is longer is shown as it came."""


@dataclass(frozen=True, slots=True)
class LatestEvents:
    """What Feldera answered.

    Attributes:
        events: the log, the newest first; None where it could not be read.
        newest: the newest event in full; None where it could not be read.
        problem: why not, in one line without secrets; empty if both could be read.
    """

    events: Sequence[Event] | None = None
    newest: FullEvent | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A text of which the end may be missing.

    Attributes:
        text: its beginning.
        whole: how long all of it is, in words; empty if that is all.
    """

    text: str
    whole: str


def excerpt(text: str, cut: Cut | None = None) -> Excerpt:
    """Return as much of a text as is shown.

    Args:
        text: as much of it as there is.
        cut: what all of it was.
    """
    shown, missing = formatting.cut(text)
    if cut is not None:
        return Excerpt(shown, formatting.count(cut.size, "byte"))
    return Excerpt(shown, formatting.count(len(text), "character") if missing else "")


def laid_out(details: msgspec.Raw, cut: Cut | None = None) -> Excerpt | None:
    """Return details, which are any JSON, as people read them; None where they say nothing.

    Args:
        details: they, or a string with their beginning.
        cut: what all of them were.
    """
    text = bytes(details)
    if text.strip() in _NOTHING:
        return None
    try:
        # A text alone needs no quotes, and its line breaks should be some.
        if text.startswith(b'"'):
            return excerpt(msgspec.json.decode(text, type=str), cut)
        if len(text) <= _LONGEST:
            text = msgspec.json.format(text, indent=2)
    except UNREADABLE:
        # It was skipped over until now, not read: what cannot be is shown as it came.
        pass
    return excerpt(text.decode("utf-8", errors="replace"))
