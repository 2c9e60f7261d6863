"""The exporter's credentials for Alertmanager. Their files are read again for each request."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Final

from feldera_exporter.config import Alertmanager
from feldera_exporter.config.secret_files import reread
from feldera_exporter.logs import FailureLog, Logger
from feldera_exporter.polling.client_factory import key_in

_MAX_BYTES: Final = 4096
"""The largest password file."""


def identity(configured: Alertmanager, log: Logger) -> Callable[[], str | None]:
    """Return the function that returns the present `Authorization` header; None without configured credentials.

    While a file cannot be read, for example during its replacement, the last secret that could be read is used.
    """
    unreadable = FailureLog(
        log,
        "cannot read the credentials for Alertmanager",
        "the credentials for Alertmanager are readable again",
    )
    if configured.authorization is not None:
        token = reread(configured.authorization.credentials_file, key_in, unreadable)
        return lambda: f"Bearer {secret}" if (secret := token()) is not None else None
    if configured.basic_auth is not None:
        name = configured.basic_auth.username
        password = reread(configured.basic_auth.password_file, password_in, unreadable)
        return lambda: _basic(name, secret) if (secret := password()) is not None else None
    return lambda: None


def password_in(path: Path) -> tuple[str | None, str]:
    """Return the password in a file, or None and the reason; the reason never contains the file's content."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        return None, error.strerror or type(error).__name__
    password = content.decode("utf-8", errors="replace").rstrip("\r\n")
    if not password:
        return None, "it is empty"
    if len(content) > _MAX_BYTES or not password.isprintable():
        return None, "its content is not one line of text"
    return password, ""


def _basic(name: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"
