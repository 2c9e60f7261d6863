"""Files with a secret, read again for each request, so that a rotated secret is used at once."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from feldera_exporter.logs import FailureLog

_VISIBLE: Final = re.compile(r"[!-~]+")
"""The characters of a key that may be in a header; the error of the HTTP library for another key would repeat it."""

_MAX_BYTES: Final = 4096

Read = Callable[[Path], tuple[str | None, str]]
"""Returns the secret in a file, or None and the reason; the reason never contains the file's content."""


def reread(path: Path, read: Read, unreadable: FailureLog) -> Callable[[], str | None]:
    """Return the function that returns the present secret of a file; None before one could be read.

    While the file is empty or cannot be read, for example during its replacement, it returns the last secret.
    """
    last: str | None = None

    def present() -> str | None:
        nonlocal last
        secret, reason = read(path)
        if secret is None:
            unreadable.failed(reason, f"{path}: {reason}")
        else:
            unreadable.succeeded()
            last = secret
        return last

    return present


def key_in(path: Path) -> tuple[str | None, str]:
    """Return the key or token in a file, as `Read` says."""
    return _secret_in(
        path,
        lambda content: content.decode("ascii", errors="replace").strip(),
        lambda key: _VISIBLE.fullmatch(key) is not None,
        "it holds something else than one line of visible ASCII characters",
    )


def password_in(path: Path) -> tuple[str | None, str]:
    """Return the password in a file, as `Read` says."""
    return _secret_in(
        path,
        # Bytes that are no UTF-8 become surrogates, which are not printable.
        lambda content: content.decode("utf-8", errors="surrogateescape").rstrip("\r\n"),
        str.isprintable,
        "it holds something else than one line of text",
    )


def _secret_in(
    path: Path, decode: Callable[[bytes], str], is_valid: Callable[[str], bool], otherwise: str
) -> tuple[str | None, str]:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        return None, error.strerror or type(error).__name__
    secret = decode(content)
    if not secret:
        return None, "it is empty"
    return (secret, "") if len(content) <= _MAX_BYTES and is_valid(secret) else (None, otherwise)
