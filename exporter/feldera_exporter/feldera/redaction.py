"""Keeps the secrets of a request out of error texts."""

from typing import Final

from feldera_exporter.feldera.errors import FelderaError

_MOST: Final = 300
_SHORTEST: Final = 8
"""Characters of a header's value that is a secret."""


def redacted(error: FelderaError, key: str | None, *headers: str) -> FelderaError:
    """Return the error with a text of one line, not too long and without the secrets of the request.

    A short value of a header stays: it is a number or a name rather than a secret, and may be in the text by chance.
    """
    text = str(error)
    for secret in filter(None, (key, *(each for each in headers if len(each) >= _SHORTEST))):
        # Before the text is cut, which could leave a part of a secret.
        text = text.replace(secret, "***")
    line = "".join(character if character.isprintable() else " " for character in text)
    return type(error)(line if len(line) <= _MOST else f"{line[:_MOST]}…", error.retry_after)
