"""The elements of a JSON array, found by its brackets: one that the decoder refuses spoils itself, not the array."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from feldera_exporter.feldera.json_decoding import UNREADABLE
from feldera_exporter.feldera.wire import REFUSED

_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{},"]', re.DOTALL)
"""A string, or a character outside of strings that separates; a quote by itself begins a string that does not end."""
_TITLE: Final = re.compile(
    rb'\s*\{\s*"id"\s*:\s*"([^"\\\x00-\x1f]{1,200})"(?:\s*,\s*"name"\s*:\s*"([^"\\\x00-\x1f]{1,200})")?'
)
"""How Feldera's elements begin."""
SCANNED: Final = 4 * 2**20
"""Bytes that are scanned at most; a scan takes about 30 ms for each MB."""
FEW: Final = 1000
"""How many elements are read, however small they are."""
_RAW: Final = msgspec.json.Decoder(msgspec.Raw)


def complete_elements(text: bytes, size: int) -> tuple[list[bytes], int]:
    """Return the complete elements of an array as they are.

    Args:
        text: the array, or its beginning; a very long one is not read.
        size: bytes that an element has at least; with many smaller ones, the rest is not read.

    Returns:
        These elements, and the bytes of the text up to and including the comma or bracket after the last of them; 0 if
        there is no complete element.
    """
    elements: list[bytes] = []
    start, most = 1, FEW + len(text) // size
    for end in _ends(text) if text.startswith(b"[") and len(text) <= SCANNED else ():
        element = text[start:end]
        if len(elements) == most or not element.strip():
            break
        elements.append(element)
        start = end + 1
    return elements, start if elements else 0


def without_refused(text: bytes, size: int) -> tuple[bytes, int]:
    """Return an array of the `complete_elements`, and their bytes; one that the decoder refuses is replaced.

    In its place stands an object with the id and the name, if they can be found, and the reason.
    """
    elements, end = complete_elements(text, size)
    return b"[%b]" % b",".join(map(_readable, elements)), end


def _ends(text: bytes) -> Iterator[int]:
    """Yield the indices of the commas and of the bracket that follow the elements of an array."""
    depth = 0
    for token in _TOKEN.finditer(text):
        match token[0]:
            case b"[" | b"{":
                depth += 1
            case b"]" | b"}":
                depth -= 1
                if depth == 0:
                    yield token.start()
                    return
            case b",":
                if depth == 1:
                    yield token.start()
            case b'"':
                return


def _readable(element: bytes) -> bytes:
    """Return an element, or what stands in its place if the decoder refuses it."""
    try:
        _RAW.decode(element)
    except UNREADABLE as error:
        found = _TITLE.match(element)
        titles = zip(("id", "name"), found.groups() if found else (), strict=False)
        title = {field: text.decode(errors="replace") for field, text in titles if text is not None}
        return msgspec.json.encode({**title, REFUSED: str(error)})
    return element
