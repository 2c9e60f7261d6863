"""Files with a secret, read again for each request, so that a rotated secret is used at once."""

from collections.abc import Callable
from pathlib import Path

from feldera_exporter.logs import FailureLog


def reread(
    path: Path, read: Callable[[Path], tuple[str | None, str]], unreadable: FailureLog
) -> Callable[[], str | None]:
    """Return the function that returns the present secret of a file; None before one could be read.

    While the file is empty or cannot be read, for example during its replacement, it returns the last secret.

    Args:
        path: the file.
        read: returns the secret in a file, or None and the reason; the reason never contains the file's content.
        unreadable: logs failures.
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
