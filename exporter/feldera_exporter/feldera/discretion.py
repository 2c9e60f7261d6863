"""What may be repeated of what a server said: one line, not too long, and never the API key."""

import re
from collections.abc import Iterator
from typing import Final

from feldera_exporter.feldera.answers import FelderaError

_MOST: Final = 300
_SHORTEST_KEY: Final = 8
"""Feldera's keys have 135 characters. Something shorter than this is in many a list by chance."""
_ESCAPED: Final = re.compile(rb"\\(?:/|u00[2-7][0-9a-fA-F])")
"""How JSON may write a visible character without need: Feldera never does, who hides a key does."""
_PLAIN: Final = {
    rb"\/": b"/",
    **{(rb"\u00%02x" % code): bytes((code,)) for code in range(0x20, 0x80)},
    **{(rb"\u00%02X" % code): bytes((code,)) for code in range(0x20, 0x80)},
}
_SLICE: Final = 64 * 1024
_LONGEST_ESCAPE: Final = 6


def discreet(error: FelderaError, key: str | None) -> FelderaError:
    """Return the error with a text that may be shown."""
    text = str(error)
    if key:
        # Before anything is cut: half of a key is too much as well.
        text = text.replace(key, "***")
    line = "".join(character if character.isprintable() else " " for character in text)
    return type(error)(line if len(line) <= _MOST else f"{line[:_MOST]}…", error.retry_after)


def repeats(body: bytes | bytearray, key: str | None) -> Iterator[bool]:
    """Yield step by step whether a body holds the key, which would then be shown as a name or a tag.

    One step is enough for what Feldera says; a body of many escapes takes very many short ones.
    """
    if key is None or len(key) < _SHORTEST_KEY:
        return
    wanted = key.encode()
    yield wanted in body
    escape = _ESCAPED.search(body)
    if escape is None:
        return
    # A key that lies across the border of two slices is whole in the first one.
    beyond = _LONGEST_ESCAPE * len(wanted)
    for start in range(max(0, escape.start() - len(wanted)), len(body), _SLICE):
        part = bytes(body[start : start + _SLICE + beyond])
        yield wanted in _ESCAPED.sub(_unescaped, part)


def _unescaped(escape: re.Match[bytes]) -> bytes:
    return _PLAIN[escape[0]]
