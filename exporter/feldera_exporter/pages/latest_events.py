"""The latest events of a pipeline, which Feldera is asked for when a page shows it, and what they say it waits for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from feldera_exporter.feldera.json_decoding import UNREADABLE
from feldera_exporter.feldera.statuses import RESOURCES, RUNTIME, Kind
from feldera_exporter.feldera.wire import Cut, Event, FullEvent
from feldera_exporter.pages import formatting

_NOTHING: Final = frozenset({b"null", b"{}", b"[]", b'""', b""})
_LONGEST: Final = 64 * 1024
"""Characters of a text that are shown; a panic of every worker has far more."""
_LONGEST_JSON: Final = 256 * 1024
"""Bytes of JSON that are indented; longer JSON is shown as it came."""

_WAITING: Final = (Kind.TRANSIENT, Kind.NEEDS_PERSON, Kind.BAD)
"""The kinds of statuses that do not last: their details say what Feldera waits for."""

_FIGURES: Final = ("connector_stats", "memory_max")
"""Keys of the details that are figures, and say nothing about a wait."""


@dataclass(frozen=True, slots=True)
class LatestEvents:
    """The event log and the newest event in full.

    Attributes:
        events: the log, the newest first; None where it could not be read.
        newest: the newest event in full; None where it could not be read.
        problem: why one could not be read, in a line without secrets; empty where both could.
        failed: whether a request failed: a later one may succeed.
    """

    events: Sequence[Event] | None = None
    newest: FullEvent | None = None
    problem: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The beginning of a text, and in words how long the whole is; that is empty where nothing is missing."""

    text: str
    whole: str


def excerpt(text: str, cut: Cut | None = None) -> Excerpt:
    """Return the part of a text that is shown; `cut` is the size of the whole where the text is its beginning."""
    if cut is not None:
        whole = formatting.count(cut.size, "byte")
    else:
        whole = formatting.count(len(text), "character") if len(text) > _LONGEST else ""
    return Excerpt(text[:_LONGEST], whole)


def laid_out(details: msgspec.Raw, cut: Cut | None = None) -> Excerpt | None:
    """Return details, which are any JSON, indented; None where they are empty.

    `cut` is the size of the whole where the details are a string with their beginning.
    """
    text = bytes(details)
    if text.strip() in _NOTHING:
        return None
    try:
        # A string is shown without quotes, with its line breaks.
        if text.startswith(b'"'):
            return excerpt(msgspec.json.decode(text, type=str), cut)
        if len(text) <= _LONGEST_JSON:
            text = msgspec.json.format(text, indent=2)
    except UNREADABLE:
        # The JSON was not decoded before. What is not JSON is shown as it came.
        pass
    return excerpt(text.decode("utf-8", errors="replace"))


def waiting_for(recent: LatestEvents) -> Excerpt | None:
    """Return Feldera's details of the present status; None without details, or where the status may last."""
    newest = recent.newest
    if newest is None or not recent.events or newest.event_id != recent.events[0].event_id:
        return None
    event = recent.events[0]
    if RESOURCES.statuses.get(event.deployment_resources_status) in _WAITING:
        return laid_out(newest.deployment_resources_status_details)
    if RUNTIME.statuses.get(event.deployment_runtime_status or "") in _WAITING:
        return laid_out(_without_figures(newest.deployment_runtime_status_details))
    return None


def _without_figures(raw: msgspec.Raw) -> msgspec.Raw:
    try:
        value = msgspec.json.decode(raw)
    except UNREADABLE:
        return raw
    if not isinstance(value, dict):
        return raw
    left = {key: each for key, each in value.items() if key not in _FIGURES}
    return msgspec.Raw(msgspec.json.encode(left))
