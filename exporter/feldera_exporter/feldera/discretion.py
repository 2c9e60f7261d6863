"""What may be repeated of what a server said: one line, not too long, and never the API key."""

from typing import Final

from feldera_exporter.feldera.answers import FelderaError

_MOST: Final = 300
_SHORTEST_KEY: Final = 8
"""Feldera's keys have 135 characters. Something shorter than this is in many a text by chance."""


def discreet(error: FelderaError, key: str | None) -> FelderaError:
    """Return the error with a text that may be shown."""
    text = str(error)
    if key is not None and len(key) >= _SHORTEST_KEY:
        # Before anything is cut: half of a key is too much as well.
        text = text.replace(key, "***")
    line = "".join(character if character.isprintable() else " " for character in text)
    return type(error)(line if len(line) <= _MOST else f"{line[:_MOST]}…")


def repeats(body: bytes | bytearray, key: str | None) -> bool:
    """Return whether a body holds the key, which would then be shown as a name or a tag."""
    return key is not None and len(key) >= _SHORTEST_KEY and key.encode() in body
