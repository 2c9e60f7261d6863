"""Files that hold a secret, read again for each request: a rotated secret is used at once."""

from collections.abc import Callable
from pathlib import Path

from feldera_exporter.logs import FailureLog


def reread(
    path: Path, read: Callable[[Path], tuple[str | None, str]], unreadable: FailureLog
) -> Callable[[], str | None]:
    """Return what gives the present secret of a file.

    While the file holds none, as in the moment of its replacement, or cannot be read, the last secret that could be read
    is used; None before there was one.

    Args:
        path: the file.
        read: returns the secret in a file, or None and the reason, which never has the file's content.
        unreadable: where a failure is logged.
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
