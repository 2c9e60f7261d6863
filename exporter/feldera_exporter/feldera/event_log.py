"""Decodes a pipeline's event log; an event that cannot be read spoils only itself."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import msgspec

from feldera_exporter.feldera.element_scan import complete_elements
from feldera_exporter.feldera.errors import InvalidResponseError
from feldera_exporter.feldera.json_decoding import UNREADABLE
from feldera_exporter.feldera.wire import Event, Instant
from feldera_exporter.micros import Micros, from_datetime

_TINY: Final = 100
"""Bytes of an event: Feldera's have more than 300 each."""
_SPACE: Final = b" \t\n\r"

_EVENT_ID: Final = re.compile(rb'"event_id"\s*:\s*"([^"\\\x00-\x1f]{1,200})"')
_RECORDED_AT: Final = re.compile(rb'"recorded_at"\s*:\s*("[^"\\\x00-\x1f]{1,50}")')

_EVENTS: Final[msgspec.json.Decoder[list[Event]]] = msgspec.json.Decoder(list[Event])
_EVENT: Final = msgspec.json.Decoder(Event)
_INSTANT: Final[msgspec.json.Decoder[Instant]] = msgspec.json.Decoder(Instant)


@dataclass(frozen=True, slots=True)
class UnreadableEvent:
    """One event that cannot be read.

    Attributes:
        event_id: its id; a digest of its bytes where the id cannot be read either.
        at: when it was recorded, by Feldera's clock; None where that cannot be read either.
        reason: why it cannot be read.
    """

    event_id: str
    at: Micros | None
    reason: str


@dataclass(frozen=True, slots=True)
class EventLog:
    """One answer to `GET /v0/pipelines/{name}/events?selector=status`.

    Attributes:
        events: the readable events in Feldera's order, the newest first.
        unreadable: the others.
    """

    events: Sequence[Event] = ()
    unreadable: Sequence[UnreadableEvent] = ()


def read(body: bytes | bytearray) -> EventLog:
    """Decode an event log.

    Raises:
        InvalidResponseError: the body is no JSON array, or none of its elements can be read and there is at least one.
    """
    try:
        return EventLog(_EVENTS.decode(body))
    except UNREADABLE as error:
        return _readable(bytes(body).strip(_SPACE), str(error))


def error_code(body: bytes | bytearray) -> str | None:
    """Return the code of the error in an answer to `GET …/events/{id}?selector=all`; None without one that can be read.

    Raises:
        InvalidResponseError: the body is no event.
    """
    try:
        error = _EVENT.decode(body).deployment_error
    except UNREADABLE as reason:
        text = bytes(body).strip(_SPACE)
        whole = text.startswith(b"{") and text.endswith(b"}") and _elements(b"[%b]" % text) == [text]
        if not (whole and _EVENT_ID.search(text)):
            raise InvalidResponseError(f"unexpected body: {reason}") from None
        return None
    return None if error is None else error.error_code


def _readable(text: bytes, reason: str) -> EventLog:
    """Return the log of an array that cannot be decoded as a whole, for a reason."""
    elements = _elements(text)
    if elements is None:
        raise InvalidResponseError(f"unexpected body: {reason}")
    events: list[Event] = []
    unreadable: dict[str, UnreadableEvent] = {}
    for element in elements:
        try:
            events.append(_EVENT.decode(element))
        except UNREADABLE as error:
            found = _unreadable(element, str(error))
            unreadable[found.event_id] = found
    if not events:
        raise InvalidResponseError(f"none of {len(elements)} events can be read, the first: {reason}")
    for event in events:
        unreadable.pop(event.event_id, None)
    return EventLog(events, tuple(unreadable.values()))


def _elements(text: bytes) -> list[bytes] | None:
    """Return the elements of an array, found by its brackets; None if there is no whole array."""
    elements, end = complete_elements(text, _TINY)
    return elements if end == len(text) and text.endswith(b"]") else None


def _unreadable(element: bytes, reason: str) -> UnreadableEvent:
    named, dated = _EVENT_ID.search(element), _RECORDED_AT.search(element)
    event_id = named[1].decode(errors="replace") if named else blake2b(element, digest_size=16).hexdigest()
    at = None
    # Without a time, only its place in the log is unknown.
    with suppress(*UNREADABLE):
        at = from_datetime(_INSTANT.decode(dated[1])) if dated else None
    return UnreadableEvent(event_id, at, reason)
