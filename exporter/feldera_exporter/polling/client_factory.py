"""Makes the client of an instance from its configuration."""

import os
from collections.abc import Callable
from urllib.parse import urlsplit

from feldera_exporter.config import Instance, present_context
from feldera_exporter.config.proxies import proxy_for
from feldera_exporter.config.secret_files import key_in, reread
from feldera_exporter.feldera.client import Client, Observer
from feldera_exporter.logs import FailureLog, Logger


def client_for(instance: Instance, observe: Observer, log: Logger) -> Client:
    """Return a client of the instance, without a request.

    Raises:
        ConfigError: a certificate can no longer be used.
    """
    is_https = urlsplit(instance.url).scheme == "https"
    return Client(
        instance.url,
        api_key=api_key(instance, log),
        # Only for HTTPS: loading the system's certificates takes time and memory.
        tls=present_context(instance.tls, f"{instance.name}: ", log) if is_https else None,
        proxy=proxy_for(instance.url, os.environ),
        max_response_size=instance.max_response_size,
        observe=observe,
        headers={name: value.reveal() for name, value in instance.headers.items()},
    )


def api_key(instance: Instance, log: Logger) -> Callable[[], str | None]:
    """Return a function that returns the present API key: the configured one, or the one in its file.

    See `reread`; reading the file takes microseconds.
    """
    path = instance.api_key_file
    if path is None:
        configured = instance.api_key.reveal() if instance.api_key is not None else None
        return lambda: configured
    unreadable = FailureLog(log, "cannot read the API key's file", "the API key's file is readable again")
    return reread(path, key_in, unreadable)
