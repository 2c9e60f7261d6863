"""Shortens an element of the list to the fields that are read, and cuts the texts of its error.

The result is read as the element would be; its error says which texts are cut.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from isal import isal_zlib

from feldera_exporter.feldera.json_decoding import UNREADABLE
from feldera_exporter.feldera.wire import CUT, FIELDS, Cut, Cuts

_LONGEST: Final = 4096
"""Bytes of a value other than an error's texts; valid values are far shorter."""
_LONGEST_CODE: Final = 200
_TOO_LONG: Final = b"false"
"""Replaces a value that is too long; no field that is read may have it."""

_LONGEST_CHARACTER: Final = 12
"""Bytes of a character that JSON writes as two escapes, such as `\\ud83e\\udd80`."""

_ABSENT: Final = msgspec.Raw()


class _Error(msgspec.Struct, frozen=True, gc=False):
    error_code: msgspec.Raw = _ABSENT
    message: msgspec.Raw = _ABSENT
    details: msgspec.Raw = _ABSENT


class _Details(msgspec.Struct, frozen=True, gc=False):
    connector_stats: msgspec.Raw = _ABSENT


_TEXT: Final = msgspec.json.Decoder(str)
_PARTS: Final = msgspec.json.Decoder(
    msgspec.defstruct("_Parts", [(name, msgspec.Raw, _ABSENT) for name in FIELDS], frozen=True, gc=False)
)
_ERROR: Final = msgspec.json.Decoder(_Error)
_DETAILS: Final = msgspec.json.Decoder(_Details)


def shortened(element: msgspec.Raw, most: int) -> bytes:
    """Return an element with only the fields that are read; of its error's message and details, `most` bytes each."""
    try:
        parts = _PARTS.decode(element)
    except UNREADABLE:
        return _TOO_LONG
    values = ((name, getattr(parts, name)) for name in FIELDS)
    return _object((name, _value(name, value, most)) for name, value in values if len(value))


def _value(name: str, value: msgspec.Raw, most: int) -> bytes:
    if len(value) <= (most if name == "deployment_error" else _LONGEST):
        return bytes(value)
    try:
        if name == "deployment_error":
            return _error(_ERROR.decode(value), most)
        if name == "deployment_runtime_status_details":
            return _object((("connector_stats", _bounded(_DETAILS.decode(value).connector_stats)),))
    except UNREADABLE:
        pass
    return _TOO_LONG


def _bounded(value: msgspec.Raw) -> bytes:
    return bytes(value) if 0 < len(value) <= _LONGEST else b"null"


def _error(error: _Error, most: int) -> bytes:
    """Return an error with the beginnings of its texts and the whole code."""
    code, _ = _beginning(error.error_code, _LONGEST_CODE)
    message, cut_message = _beginning(error.message, most)
    details, cut_details = _beginning(error.details, most)
    cuts = msgspec.json.encode(Cuts(cut_message, cut_details))
    members = (("error_code", code), ("message", message), ("details", details), (CUT, cuts))
    return _object((name, value) for name, value in members if value)


def _beginning(value: msgspec.Raw, most: int) -> tuple[bytes, Cut | None]:
    """Return a value and None, or its beginning as a string and what was cut."""
    if len(value) <= most:
        return bytes(value), None
    cut = Cut(len(value), isal_zlib.crc32(value))
    head = bytes(memoryview(value)[:most])
    if head.startswith(b'"'):
        return _closed(head), cut
    return msgspec.json.encode(head.decode(errors="replace")), cut


def _closed(head: bytes) -> bytes:
    """Return the beginning of a JSON string as a string, without an incomplete character at its end."""
    texts = (b'%b"' % head[: len(head) - left] for left in range(_LONGEST_CHARACTER))
    return next(filter(_is_text, texts), b'""')


def _is_text(value: bytes) -> bool:
    try:
        _TEXT.decode(value)
    except UNREADABLE:
        return False
    return True


def _object(members: Iterable[tuple[str, bytes]]) -> bytes:
    return b"{%b}" % b",".join(b'"%b":%b' % (name.encode(), value) for name, value in members)
