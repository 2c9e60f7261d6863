"""What may be repeated of what a server said: one line, not too long, and never a secret of the request."""

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


def redacted(error: FelderaError, *secrets: str | None) -> FelderaError:
    """Return the error with a text that may be shown, without the secrets of the request."""
    text = str(error)
    for secret in filter(None, secrets):
        # Before anything is cut: half of a secret is too much as well.
        text = text.replace(secret, "***")
    line = "".join(character if character.isprintable() else " " for character in text)
    return type(error)(line if len(line) <= _MOST else f"{line[:_MOST]}…", error.retry_after)


class KeyGuard:
    """Watches a body for the secrets of the request, which would then be shown as a name or a tag.

    Args:
        secrets: the API key and the values of headers; None where there is none.
    """

    def __init__(self, *secrets: str | None) -> None:
        self._wanted = [each.encode() for each in secrets if each is not None and len(each) >= _SHORTEST_KEY]
        self._longest = max(map(len, self._wanted), default=0)
        self._before = b""

    def finds(self, part: bytes) -> bool:
        """Tell whether a secret is in the next part of the body, or begins in the one before."""
        if not self._wanted:
            return False
        text = self._before + part
        self._before = text[-_LONGEST_ESCAPE * self._longest :]
        if any(wanted in text for wanted in self._wanted):
            return True
        # To look for a backslash is many times cheaper than to look for the escapes.
        if b"\\" not in text:
            return False
        plain = _ESCAPED.sub(_unescaped, text)
        return any(wanted in plain for wanted in self._wanted)


def _unescaped(escape: re.Match[bytes]) -> bytes:
    return _PLAIN[escape[0]]
