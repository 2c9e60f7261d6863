"""Makes the clients of Alertmanagers from the configuration."""

from collections.abc import Callable
from urllib.parse import urlsplit

from feldera_exporter.alertmanager.addresses import Address
from feldera_exporter.alertmanager.client import Client
from feldera_exporter.alertmanager.credentials import identity
from feldera_exporter.config import Alertmanager, present_context
from feldera_exporter.config.tls import UnusableCertificateError
from feldera_exporter.errors import ConfigError
from feldera_exporter.logs import Logger


def client_factory(configured: Alertmanager, log: Logger) -> Callable[[Address], Client]:
    """Return the function that makes the client of an address; it sends no request.

    Raises:
        ConfigError: a certificate file has become unusable since the configuration was read.
    """
    authorization = identity(configured, log)
    try:
        # Loading the system's certificates takes time and memory, so only for https.
        uses_tls = any(urlsplit(url).scheme == "https" for url in configured.urls)
        tls = present_context(configured.tls, log) if uses_tls else None
    except UnusableCertificateError as error:
        raise ConfigError(f"alertmanager.tls.{error}") from None
    return lambda address: Client(address, authorization, tls, configured.timeout)
