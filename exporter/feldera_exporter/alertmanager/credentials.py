"""Who the exporter is to Alertmanager: the header that says so, from files that are read again for each request."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Final

from feldera_exporter.config import Alertmanager
from feldera_exporter.logs import FailureLog, Logger
from feldera_exporter.polling.client_factory import key_in

_MOST: Final = 4096


def identity(configured: Alertmanager, log: Logger) -> Callable[[], str | None]:
    """Return what gives the present `Authorization` header; None where the exporter says not who it is.

    While a file cannot be read, as in the moment of its replacement, the last secret that could be read is used.
    """
    if configured.authorization is not None:
        token = _rereading(configured.authorization.credentials_file, key_in, log)
        return lambda: _with("Bearer", token())
    if configured.basic_auth is not None:
        name = configured.basic_auth.username
        password = _rereading(configured.basic_auth.password_file, password_in, log)
        return lambda: _with("Basic", _pair(name, password()))
    return lambda: None


def password_in(path: Path) -> tuple[str | None, str]:
    """Return the password that a file holds, or None and why not; no reason repeats what the file holds."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST + 1)
    except OSError as error:
        return None, error.strerror or type(error).__name__
    password = content.decode("utf-8", errors="replace").rstrip("\r\n")
    if not password:
        return None, "it is empty"
    if len(content) > _MOST or not password.isprintable():
        return None, "it holds something else than one line of text"
    return password, ""


def _with(scheme: str, secret: str | None) -> str | None:
    return None if secret is None else f"{scheme} {secret}"


def _pair(name: str, password: str | None) -> str | None:
    return None if password is None else base64.b64encode(f"{name}:{password}".encode()).decode()


def _rereading(
    path: Path, read: Callable[[Path], tuple[str | None, str]], log: Logger
) -> Callable[[], str | None]:
    unreadable = FailureLog(
        log, "cannot read the file that lets into Alertmanager", "that file is readable again"
    )
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
