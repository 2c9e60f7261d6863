"""The TLS context of a connection, from the configuration."""

import ssl
from collections.abc import Callable
from pathlib import Path

from feldera_exporter.config.errors import RefusedError
from feldera_exporter.config.schema import Tls
from feldera_exporter.errors import ConfigError
from feldera_exporter.logs import FailureLog, Logger


def ssl_context(tls: Tls) -> ssl.SSLContext:
    """Return a new context, from the present content of the files.

    Raises:
        RefusedError: a file cannot be read or contains something else.
    """
    if tls.ca_file is None:
        context = ssl.create_default_context()
    else:
        try:
            context = ssl.create_default_context(cafile=tls.ca_file)
        except OSError:
            raise RefusedError(str(tls.ca_file), "certificates in PEM format", ("ca_file",)) from None
    load_own_certificate(context, tls.cert_file, tls.key_file)
    if tls.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def load_own_certificate(context: ssl.SSLContext, cert_file: Path | None, key_file: Path | None) -> None:
    """Load a certificate with its key, if both are given.

    Raises:
        RefusedError: they cannot be read or used.
    """
    if cert_file is None or key_file is None:
        return
    try:
        # Without a password OpenSSL would ask the terminal for one and wait.
        context.load_cert_chain(cert_file, key_file, password="")
    except (OSError, ValueError):
        expected = "a certificate in PEM format whose key, without a passphrase, is in key_file"
        raise RefusedError(str(cert_file), expected, ("cert_file",)) from None


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
    except RefusedError as error:
        raise ConfigError(f"{place}{error.mistake('tls')}") from None

    def present() -> ssl.SSLContext:
        nonlocal read, context
        # Determined before the files are read: what changes in between is read next time.
        now = _states(tls)
        if now != read:
            try:
                context = ssl_context(tls)
            except RefusedError as error:
                unusable.failed(str(error.place[0]), error.mistake("tls"))
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
