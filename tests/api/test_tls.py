"""Which servers the client trusts, and its client certificate: real HTTPS servers on loopback."""

import ssl
from pathlib import Path

import pytest

from feldera_exporter.config import Tls
from feldera_exporter.config.tls import ssl_context
from feldera_exporter.feldera.errors import FelderaError, UnreachableError
from support.ask_once import KEY, ask
from support.certificates import make
from support.raw_server import answer, sends, serving_raw

GOOD = sends(answer(b"[]"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with certificates."""
    folder = tmp_path_factory.mktemp("certificates")
    make(folder)
    return folder


def server_context(folder: Path, *, mutual: bool = False) -> ssl.SSLContext:
    """Return the context of a server, which with `mutual` wants to see a certificate of the authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    if mutual:
        context.load_verify_locations(folder / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def test_a_private_authority_is_trusted(folder: Path) -> None:
    """With `ca_file` a certificate of that authority is accepted."""
    with serving_raw(act=GOOD, tls=server_context(folder)) as server:
        assert bytes(ask(server.url, tls=ssl_context(Tls(ca_file=folder / "ca.pem"))).body) == b"[]"


def test_an_unknown_authority_is_not(folder: Path) -> None:
    """Without `ca_file` the connection is refused before a request is sent, and the error has the reason."""
    with serving_raw(act=GOOD, tls=server_context(folder)) as server:
        with pytest.raises(UnreachableError, match="signed by an authority that is not trusted"):
            ask(server.url, tls=ssl_context(Tls()))
        assert server.requests == []


def test_another_host_is_not(folder: Path) -> None:
    """A certificate for another name than the URL's is refused, also when its authority is trusted."""
    with serving_raw(act=GOOD, tls=server_context(folder)) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        with pytest.raises(UnreachableError, match="the certificate is not for localhost"):
            ask(url, tls=ssl_context(Tls(ca_file=folder / "ca.pem")))
        assert server.requests == []


def test_verification_can_be_switched_off(folder: Path) -> None:
    """With `insecure_skip_verify` any certificate is accepted."""
    with serving_raw(act=GOOD, tls=server_context(folder)) as server:
        assert bytes(ask(server.url, tls=ssl_context(Tls(insecure_skip_verify=True))).body) == b"[]"


def test_a_client_certificate_is_shown(folder: Path) -> None:
    """A server that requires a client certificate gets it; without it there is no answer."""
    trusted = Tls(ca_file=folder / "ca.pem")
    known = Tls(ca_file=folder / "ca.pem", cert_file=folder / "client.pem", key_file=folder / "client.key")
    with serving_raw(act=GOOD, tls=server_context(folder, mutual=True)) as server:
        assert bytes(ask(server.url, tls=ssl_context(known)).body) == b"[]"
        with pytest.raises(UnreachableError):
            ask(server.url, tls=ssl_context(trusted))
        assert len(server.requests) == 1


@pytest.mark.parametrize("server_is_tls", [False, True])
def test_the_wrong_protocol_is_an_error(folder: Path, server_is_tls: bool) -> None:  # noqa: FBT001
    """HTTPS to a plain server, and HTTP to a TLS server, is an error without the key."""
    context = server_context(folder) if server_is_tls else None
    with serving_raw(act=GOOD, tls=context) as server:
        url = (
            server.url.replace("https:", "http:") if server_is_tls else server.url.replace("http:", "https:")
        )
        with pytest.raises(FelderaError) as caught:
            ask(url, tls=ssl_context(Tls()), within=5.0)
    assert KEY not in str(caught.value)
