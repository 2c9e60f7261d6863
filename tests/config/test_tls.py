"""TLS contexts."""

import ssl
from pathlib import Path

import pytest

from feldera_exporter.config import Tls
from feldera_exporter.config.errors import RefusedError
from feldera_exporter.config.tls import ssl_context


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
