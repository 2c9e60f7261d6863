"""Files with a secret, read again for each request, so that a rotated secret is used at once."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from feldera_exporter.logs import FailureLog

_LINE: Final = re.compile(r"[ -~]+")
"""What a header can hold; the error of the HTTP library for another text would repeat the secret."""

_MAX_BYTES: Final = 4096


def reread(path: Path, unreadable: FailureLog) -> Callable[[], str | None]:
    """Return the function that returns the present secret of a file; None before one could be read.

    While the file is empty or cannot be read, for example during its replacement, it returns the last secret.
    """
    last: str | None = None

    def present() -> str | None:
        nonlocal last
        secret, reason = secret_in(path)
        if secret is None:
            unreadable.failed(reason, f"{path}: {reason}")
        else:
            unreadable.succeeded()
            last = secret
        return last

    return present


def secret_in(path: Path) -> tuple[str | None, str]:
    """Return the key, token or password in a file without the blanks around it, or None and the reason.

    The reason never contains the file's content.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        return None, error.strerror or type(error).__name__
    secret = content.decode("ascii", errors="replace").strip()
    if not secret:
        return None, "it is empty"
    if len(content) > _MAX_BYTES or not _LINE.fullmatch(secret):
        return None, "it holds something else than one line of ASCII characters"
    return secret, ""
