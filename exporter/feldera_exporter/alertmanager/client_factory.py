"""The connection: what the configuration means for the client of each Alertmanager."""

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
    """Return what makes the client of an address; nothing is asked yet.

    Raises:
        ConfigError: a certificate is no longer what it was when the configuration was read.
    """
    who = identity(configured, log)
    try:
        # Loading the system's certificates takes time and memory: only where there is something to verify.
        safe = any(urlsplit(url).scheme == "https" for url in configured.urls)
        tls = present_context(configured.tls, log) if safe else None
    except UnusableCertificateError as error:
        raise ConfigError(f"alertmanager.tls.{error}") from None
    return lambda address: Client(address, who, tls, configured.timeout)
