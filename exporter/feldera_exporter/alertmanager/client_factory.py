"""Makes the clients of Alertmanagers from the configuration."""

import base64
from collections.abc import Callable
from urllib.parse import urlsplit

from feldera_exporter.alertmanager.addresses import Address
from feldera_exporter.alertmanager.client import AlertmanagerClient
from feldera_exporter.config import Alertmanager, present_context
from feldera_exporter.config.secret_files import reread
from feldera_exporter.logs import FailureLog, Logger


def client_factory(configured: Alertmanager, log: Logger) -> Callable[[Address], AlertmanagerClient]:
    """Return the function that makes the client of an address; it sends no request.

    Raises:
        ConfigError: a certificate file has become unusable since the configuration was read.
    """
    authorization = _authorization(configured, log)
    # Loading the system's certificates takes time and memory, so only for https.
    uses_tls = any(urlsplit(url).scheme == "https" for url in configured.urls)
    tls = present_context(configured.tls, "alertmanager.", log) if uses_tls else None
    return lambda address: AlertmanagerClient(address, authorization, tls, configured.timeout)


def _authorization(configured: Alertmanager, log: Logger) -> Callable[[], str | None]:
    """Return the function that returns the present `Authorization` header; None without configured credentials."""
    unreadable = FailureLog(
        log,
        "cannot read the credentials for Alertmanager",
        "the credentials for Alertmanager are readable again",
    )
    if configured.authorization is not None:
        token = reread(configured.authorization.credentials_file, unreadable)
        return lambda: f"Bearer {secret}" if (secret := token()) is not None else None
    if configured.basic_auth is not None:
        name = configured.basic_auth.username
        password = reread(configured.basic_auth.password_file, unreadable)
        return lambda: _basic(name, secret) if (secret := password()) is not None else None
    return lambda: None


def _basic(name: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"
