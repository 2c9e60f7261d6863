"""What may be repeated of what a server said: one line, not too long, and never the API key."""

import re
from typing import Final

from feldera_exporter.feldera.errors import FelderaError

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
_LONGEST_ESCAPE: Final = 6


def redacted(error: FelderaError, key: str | None) -> FelderaError:
    """Return the error with a text that may be shown."""
    text = str(error)
    if key:
        # Before anything is cut: half of a key is too much as well.
        text = text.replace(key, "***")
    line = "".join(character if character.isprintable() else " " for character in text)
    return type(error)(line if len(line) <= _MOST else f"{line[:_MOST]}…", error.retry_after)


class KeyGuard:
    """Watches a body for the key, which would then be shown as a name or a tag.

    Args:
        key: None where there is none.
    """

    def __init__(self, key: str | None) -> None:
        self._wanted = key.encode() if key is not None and len(key) >= _SHORTEST_KEY else b""
        self._before = b""

    def finds(self, part: bytes) -> bool:
        """Tell whether the key is in the next part of the body, or begins in the one before."""
        wanted = self._wanted
        if not wanted:
            return False
        text = self._before + part
        self._before = text[-_LONGEST_ESCAPE * len(wanted) :]
        if wanted in text:
            return True
        # To look for a backslash is many times cheaper than to look for the escapes.
        return b"\\" in text and wanted in _ESCAPED.sub(_unescaped, text)


def _unescaped(escape: re.Match[bytes]) -> bytes:
    return _PLAIN[escape[0]]
