"""Makes the client of an instance from its configuration."""

import os
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from feldera_exporter.config import Instance, present_context
from feldera_exporter.config.proxies import proxy_for
from feldera_exporter.config.secret_files import reread
from feldera_exporter.config.tls import UnusableCertificateError
from feldera_exporter.errors import ConfigError
from feldera_exporter.feldera.client import Client, Observer
from feldera_exporter.logs import FailureLog, Logger

VISIBLE: Final = re.compile(r"[!-~]+")
"""The characters of a key that may be in a header; the error of the HTTP library for another key would repeat it."""

_MAX_FILE_BYTES: Final = 4096


def client_for(instance: Instance, observe: Observer, log: Logger) -> Client:
    """Return a client of the instance, without a request.

    Raises:
        ConfigError: a certificate can no longer be used.
    """
    return Client(
        instance.url,
        api_key=api_key(instance, log),
        # Only for HTTPS: loading the system's certificates takes time and memory.
        tls=_verification(instance, log) if urlsplit(instance.url).scheme == "https" else None,
        proxy=proxy_for(instance.url, os.environ),
        max_response_size=instance.max_response_size,
        observe=observe,
        headers={name: value.reveal() for name, value in instance.headers.items()},
    )


def _verification(instance: Instance, log: Logger) -> Callable[[], ssl.SSLContext]:
    try:
        return present_context(instance.tls, log)
    except UnusableCertificateError as error:
        raise ConfigError(f"{instance.name}: tls.{error}") from None


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


def key_in(path: Path) -> tuple[str | None, str]:
    """Return the key in a file, or None and the reason, which does not repeat the file's content."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        return None, error.strerror or type(error).__name__
    key = content.decode("ascii", errors="replace").strip()
    if not key:
        return None, "it is empty"
    if len(content) > _MAX_FILE_BYTES or not VISIBLE.fullmatch(key):
        return None, "it holds something else than one line of visible ASCII characters"
    return key, ""
