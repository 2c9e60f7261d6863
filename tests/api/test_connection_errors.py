"""Errors of connections name the address and the reason in plain words."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from feldera_exporter.feldera.client import PIPELINES, Client
from feldera_exporter.feldera.connection_errors import connection_error
from feldera_exporter.feldera.errors import UnreachableError

TLS_ALERT = b"\x15\x03\x01\x00\x02\x02\x46"
_EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the certificates of a good server and of another name, both self-signed."""
    made = tmp_path_factory.mktemp("certificates")
    for name, alternative in (("good", "IP:127.0.0.1"), ("other", "DNS:other.example")):
        command = (
            "req",
            "-x509",
            *_EC,
            "-days",
            "2",
            "-subj",
            f"/CN={name}",
            "-addext",
            f"subjectAltName={alternative}",
        )
        subprocess.run(
            ["openssl", *command, "-keyout", f"{name}.key", "-out", f"{name}.pem"], cwd=made, check=True, capture_output=True
        )  # fmt: skip
    # The same key in a certificate whose last day was yesterday.
    (made / "expired.key").write_bytes((made / "good.key").read_bytes())
    (made / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    request = "req -new -key expired.key -subj /CN=expired -out expired.csr"
    signed = "x509 -req -in expired.csr -signkey expired.key -extfile names -days -1 -out expired.pem"
    # The same, signed by an authority whose certificate ends after 2099; a server sends both.
    (made / "constraints").write_text("basicConstraints=critical,CA:TRUE\n")
    by_authority = signed.replace("-signkey expired.key", "-CA lasting.pem -CAkey good.key -CAcreateserial")
    authority = (
        "req -new -key good.key -subj /CN=lasting -out lasting.csr",
        "x509 -req -in lasting.csr -signkey good.key -extfile constraints -days 36500 -out lasting.pem",
        by_authority.replace("-out expired.pem", "-out leaf.pem"),
    )
    for words in (request, signed, *authority):
        subprocess.run(["openssl", *words.split()], cwd=made, check=True, capture_output=True)
    (made / "chain.key").write_bytes((made / "expired.key").read_bytes())
    (made / "chain.pem").write_bytes((made / "leaf.pem").read_bytes() + (made / "lasting.pem").read_bytes())
    return made


@asynccontextmanager
async def listening(
    context: ssl.SSLContext | None, sends: bytes = b"220 mail.example\r\n"
) -> AsyncIterator[int]:
    """Listen, with TLS or without, and answer with bytes that are no HTTP."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(sends)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def said(url: str, context: ssl.SSLContext | None = None) -> str:
    """Return what asking an address says."""
    tls = (lambda: context) if context is not None else None
    client = Client(url, api_key=lambda: None, tls=tls, max_response_size=2**20, observe=lambda *_: None)
    try:
        with pytest.raises(UnreachableError) as raised:
            await client.get(PIPELINES, within=20)
    finally:
        await client.close()
    return str(raised.value)


def server(folder: Path, name: str) -> ssl.SSLContext:
    """Return what a server with a certificate is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


def trusting(folder: Path, name: str) -> ssl.SSLContext:
    """Return a client's context that trusts one certificate."""
    return ssl.create_default_context(cafile=folder / f"{name}.pem")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_nothing_listens(host: str) -> None:
    """Port 1 of loopback is refused, by one address of the name or by several."""
    assert asyncio.run(said(f"http://{host}:1")) == f"nothing listens at {host}:1"


def test_the_name_does_not_resolve() -> None:
    """A name below `.invalid` does not resolve (RFC 6761)."""
    assert asyncio.run(said("http://feldera.invalid")) == "the name feldera.invalid does not resolve"


def test_the_other_protocol() -> None:
    """The error names the scheme that would be right, for HTTP and for HTTPS."""

    async def both() -> None:
        async with listening(None, TLS_ALERT) as port:
            assert await said(f"http://127.0.0.1:{port}") == "this port speaks HTTPS: use https://"
        async with listening(None) as port:
            assert await said(f"https://127.0.0.1:{port}") == "this port does not speak HTTPS: use http://"

    asyncio.run(both())


@pytest.mark.parametrize(
    ("certificate", "trusted", "text"),
    [
        ("good", "other", "the certificate of 127.0.0.1 is self-signed: name its file as tls.ca_file"),
        ("other", "other", "the certificate is not for 127.0.0.1"),
    ],
)
def test_certificates(folder: Path, certificate: str, trusted: str, text: str) -> None:
    """The error says what is wrong with a certificate, and what to do."""

    async def ask() -> str:
        async with listening(server(folder, certificate)) as port:
            return await said(f"https://127.0.0.1:{port}", trusting(folder, trusted))

    assert asyncio.run(ask()) == text


@pytest.mark.parametrize(("certificate", "trusted"), [("expired", "expired"), ("chain", "lasting")])
def test_an_expired_certificate(folder: Path, certificate: str, trusted: str) -> None:
    """The error has the day on which the certificate expired, if OpenSSL gives it."""

    async def ask() -> str:
        async with listening(server(folder, certificate)) as port:
            return await said(f"https://127.0.0.1:{port}", trusting(folder, trusted))

    command = ["openssl", "x509", "-in", f"{certificate}.pem", "-noout", "-enddate"]
    end = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    day = datetime.fromtimestamp(ssl.cert_time_to_seconds(end.strip().partition("=")[2]), UTC)
    assert asyncio.run(ask()) == f"the certificate of 127.0.0.1 expired on {day:%Y-%m-%d}"
    expired = ssl.SSLCertVerificationError(1, "certificate verify failed")
    expired.verify_code = 10
    url = httpx.URL("https://feldera.example")
    assert connection_error(expired, url) == "the certificate of feldera.example has expired"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(113, "No route to host"), "there is no route to feldera.example:443"),
        (OSError(5, "Input/output error"), "[Errno 5] Input/output error"),
        (OSError("{host} broke"), "{host} broke"),
        (httpx.ReadError(""), "ReadError"),
    ],
)
def test_what_is_not_known_speaks_for_itself(error: Exception, text: str) -> None:
    """An unknown error keeps its own text, or its name where it has none."""
    assert connection_error(error, httpx.URL("https://feldera.example")) == text
