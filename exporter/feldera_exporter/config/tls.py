"""The TLS context of a connection, from the configuration."""

import ssl
from collections.abc import Callable
from pathlib import Path

from feldera_exporter.config.errors import RefusedError
from feldera_exporter.config.file_content import FileContent
from feldera_exporter.config.schema import Tls
from feldera_exporter.errors import ConfigError
from feldera_exporter.logs import Logger


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
    """Return the function that returns the present context, see `FileContent`.

    Raises:
        ConfigError: a file has become unusable since the configuration was read; the mistake begins with the place.
    """

    def read() -> ssl.SSLContext:
        try:
            return ssl_context(tls)
        except RefusedError as error:
            raise ConfigError(f"{place}{error.mistake('tls')}") from None

    files = [file for file in (tls.ca_file, tls.cert_file, tls.key_file) if file is not None]
    return FileContent(read, lambda _: files, "certificates", log).present
