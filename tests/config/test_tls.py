"""TLS contexts."""

import ssl
from pathlib import Path

import pytest
import structlog

from feldera_exporter.config import Tls, present_context
from feldera_exporter.config.errors import RefusedError
from feldera_exporter.config.tls import ssl_context
from feldera_exporter.errors import ConfigError


def test_system_is_trusted_by_default() -> None:
    """Without a file certificates are checked against the system's authorities."""
    context = ssl_context(Tls())
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_private_authority_replaces_the_system(certificates: Path) -> None:
    """With a file only its certificates are trusted."""
    tls = Tls(certificates / "cert.pem", certificates / "cert.pem", certificates / "key.pem")
    context = ssl_context(tls)
    assert [each["subject"] for each in context.get_ca_certs()] == [((("commonName", "localhost"),),)]
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_insecure_checks_nothing() -> None:
    """The insecure switch accepts any certificate for any name."""
    context = ssl_context(Tls(insecure_skip_verify=True))
    assert context.verify_mode is ssl.CERT_NONE
    assert not context.check_hostname


def test_vanished_file_is_named(tmp_path: Path) -> None:
    """A file that vanished after the start is named in the error."""
    with pytest.raises(
        RefusedError, match=r"found .*gone.pem, expected certificates in PEM format"
    ) as caught:
        ssl_context(Tls(tmp_path / "gone.pem"))
    assert caught.value.place == ("ca_file",)


def test_another_content_is_refused(certificates: Path) -> None:
    """A file without certificates is named, with the place in the configuration."""
    key = certificates / "key.pem"
    with pytest.raises(
        ConfigError, match=r"^prod: tls.ca_file: found .*key.pem, expected certificates in PEM format$"
    ):
        present_context(Tls(key), "prod: ", structlog.get_logger())
    with pytest.raises(
        ConfigError, match=r"^prod: tls.cert_file: found .*key.pem, expected a certificate in "
    ):
        present_context(Tls(cert_file=key, key_file=key), "prod: ", structlog.get_logger())


@pytest.mark.parametrize("key", ["other.pem", "locked.pem"])
def test_key_of_another_certificate_is_refused(certificates: Path, key: str) -> None:
    """A client certificate needs its own key, without a passphrase, as no one can type it."""
    tls = Tls(cert_file=certificates / "cert.pem", key_file=certificates / key)
    expected = "a certificate in PEM format whose key, without a passphrase, is in key_file"
    with pytest.raises(RefusedError, match=rf"found .*cert.pem, expected {expected}$") as caught:
        ssl_context(tls)
    assert caught.value.place == ("cert_file",)
