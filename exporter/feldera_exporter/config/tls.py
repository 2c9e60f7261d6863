"""The TLS context of a connection, from the configuration."""

import ssl
from collections.abc import Callable
from pathlib import Path

from feldera_exporter.config.schema import Tls
from feldera_exporter.errors import ConfigError
from feldera_exporter.logs import FailureLog, Logger


class UnusableCertificateError(Exception):
    """A file contains no certificate or key that TLS can use.

    Attributes:
        key: the key of the configuration that names the file.
        expected: what it should contain.
    """

    def __init__(self, key: str, file: Path, expected: str) -> None:
        super().__init__(f"{key}: found {file}, expected {expected}")
        self.key = key
        self.expected = expected


def ssl_context(tls: Tls) -> ssl.SSLContext:
    """Return a new context, from the present content of the files.

    Raises:
        UnusableCertificateError: a file cannot be read or contains something else.
    """
    if tls.ca_file is None:
        context = ssl.create_default_context()
    else:
        try:
            context = ssl.create_default_context(cafile=tls.ca_file)
        except OSError:
            raise UnusableCertificateError("ca_file", tls.ca_file, "certificates in PEM format") from None
    if tls.cert_file is not None and tls.key_file is not None:
        try:
            # Without a password OpenSSL would ask for one on the terminal.
            context.load_cert_chain(tls.cert_file, tls.key_file, password="")
        except (OSError, ValueError):
            expected = "a certificate in PEM format whose key, without a passphrase, is in key_file"
            raise UnusableCertificateError("cert_file", tls.cert_file, expected) from None
    if tls.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def present_context(tls: Tls, place: str, log: Logger) -> Callable[[], ssl.SSLContext]:
    """Return the function that returns the present context. The files are read again when they change.

    While they cannot be used, for example during their replacement, it returns the last context.

    Raises:
        ConfigError: a file has become unusable since the configuration was read; the mistake begins with the place.
    """
    unusable = FailureLog(log, "certificates cannot be read again", "certificates can be read again")
    read = _states(tls)
    try:
        context = ssl_context(tls)
    except UnusableCertificateError as error:
        raise ConfigError(f"{place}tls.{error}") from None

    def present() -> ssl.SSLContext:
        nonlocal read, context
        # Determined before the files are read: what changes in between is read next time.
        now = _states(tls)
        if now != read:
            try:
                context = ssl_context(tls)
            except UnusableCertificateError as error:
                unusable.failed(error.key, f"tls.{error}")
            else:
                read = now
                unusable.succeeded()
                log.info("certificates were read again")
        return context

    return present


def _states(tls: Tls) -> tuple[tuple[int, int, int] | None, ...]:
    """Return a value that differs after one of the files was replaced or changed."""
    return tuple(file_state(file) for file in (tls.ca_file, tls.cert_file, tls.key_file) if file is not None)


def file_state(file: Path) -> tuple[int, int, int] | None:
    """Return a value that differs after the file was replaced or changed; None where it cannot be read."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
