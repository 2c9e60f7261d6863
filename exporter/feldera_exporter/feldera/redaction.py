"""Keeps the secrets of a request out of error texts and bodies."""

import re
from typing import Final

from feldera_exporter.feldera.errors import FelderaError

_MOST: Final = 300
_SHORTEST_KEY: Final = 8
"""Characters; a shorter text may be in a list by chance. Feldera's keys have 135."""
_ESCAPED: Final = re.compile(rb"\\(?:/|u00[2-7][0-9a-fA-F])")
"""Unneeded JSON escapes of visible characters, which could hide a key; Feldera never writes them."""
_LONGEST_ESCAPE: Final = 6


def redacted(error: FelderaError, key: str | None, *headers: str) -> FelderaError:
    """Return the error with a text of one line, not too long and without the secrets of the request.

    A short value of a header stays: it is a number or a name rather than a secret, and may be in the text by chance.
    """
    text = str(error)
    for secret in filter(None, (key, *(each for each in headers if len(each) >= _SHORTEST_KEY))):
        # Before the text is cut, which could leave a part of a secret.
        text = text.replace(secret, "***")
    line = "".join(character if character.isprintable() else " " for character in text)
    return type(error)(line if len(line) <= _MOST else f"{line[:_MOST]}…", error.retry_after)


class KeyGuard:
    """Finds the secrets of a request in the body of its response, where they could be shown as a name or a tag."""

    def __init__(self, *secrets: str | None) -> None:
        self._wanted = [each.encode() for each in secrets if each is not None and len(each) >= _SHORTEST_KEY]
        self._longest = max(map(len, self._wanted), default=0)
        self._before = b""

    def finds(self, part: bytes) -> bool:
        """Return whether a secret ends in the next part of the body."""
        if not self._wanted:
            return False
        text = self._before + part
        self._before = text[-_LONGEST_ESCAPE * self._longest :]
        if any(wanted in text for wanted in self._wanted):
            return True
        # A search for a backslash is many times cheaper than one for the escapes.
        if b"\\" not in text:
            return False
        plain = _ESCAPED.sub(_unescaped, text)
        return any(wanted in plain for wanted in self._wanted)


def _unescaped(escape: re.Match[bytes]) -> bytes:
    return b"/" if escape[0] == rb"\/" else bytes.fromhex(escape[0][4:].decode())
