"""TLS, passwords and headers in the format of the exporter toolkit."""

import asyncio
import re
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bcrypt
import httpx
import pytest
import structlog
from structlog.testing import capture_logs

from feldera_exporter import cli, healthcheck
from feldera_exporter.config import Secret
from feldera_exporter.config.web_config import WebConfig, load_web_config
from feldera_exporter.errors import ConfigError
from feldera_exporter.server import basic_auth
from feldera_exporter.server.basic_auth import Passwords
from feldera_exporter.server.listener import bind, serving
from feldera_exporter.server.web_access import WebAccess, guarded
from support import loopback
from support.certificates import make
from support.exporter_process import prometheus, until

HASH = bcrypt.hashpw(b"right", bcrypt.gensalt(4)).decode()
TLS = "tls_server_config: {cert_file: server.pem, key_file: server.key"
LOG = structlog.get_logger()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of certificates."""
    folder = tmp_path_factory.mktemp("certificates")
    make(folder)
    return folder


@pytest.fixture
def folder(certificates: Path, tmp_path: Path) -> Path:
    """Return a folder with a copy of them, which a test may change."""
    for file in certificates.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def written(folder: Path, text: str) -> Path:
    """Return the file with a text, put in its place at once."""
    (folder / "new.yml").write_text(text)
    return (folder / "new.yml").replace(folder / "web.yml")


async def page(_scope: Any, _receive: Any, send: Any) -> None:
    """Answer every request."""
    headers = [(b"content-type", b"text/plain"), (b"x-frame-options", b"sameorigin")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"here"})


def serve(path: Path, visit: Callable[[str], Awaitable[None]]) -> None:
    """Serve with a file, and let `visit` ask at the address."""

    async def run() -> None:
        web = WebAccess(path, LOG)
        with bind("127.0.0.1:0") as listener:
            tls = web.listening
            async with serving(guarded(page, web.present), [listener], tls):
                await visit(f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}/metrics")

    asyncio.run(run())


def trusting(folder: Path, client: str = "", **versions: ssl.TLSVersion) -> ssl.SSLContext:
    """Return a client's context, with a certificate or without."""
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    if client:
        context.load_cert_chain(folder / f"{client}.pem", folder / f"{client}.key")
    for name, version in versions.items():
        setattr(context, name, version)
    return context


async def ask(url: str, tls: ssl.SSLContext | None = None, *who: str, **headers: str) -> httpx.Response:
    """Send one request on a new connection."""
    async with httpx.AsyncClient(verify=tls or False, trust_env=False) as client:
        return await client.get(url, auth=(who[0], who[1]) if who else None, headers=headers)


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    """An empty file sets nothing, as in the exporter toolkit."""

    async def visit(url: str) -> None:
        assert (await ask(url)).text == "here"

    serve(written(tmp_path, ""), visit)
    assert load_web_config(written(tmp_path, "{}")) == WebConfig()


def test_passwords(tmp_path: Path) -> None:
    """Each user has a password; everything else is refused on every path, until the file changes."""
    path = written(tmp_path, f"basic_auth_users: {{me: '{HASH}', you: '{HASH.replace('$2b$', '$2y$')}'}}\n")

    async def visit(url: str) -> None:
        for name in ("me", "you", "me"):
            assert (await ask(url, None, name, "right")).status_code == 200
        no_user: tuple[str, ...] = ()
        for who in (no_user, ("me", "wrong"), ("them", "right"), ("", "right"), ("me", "")):
            refused = await ask(url.replace("/metrics", "/-/healthy"), None, *who)
            assert (refused.status_code, refused.text) == (401, "Unauthorized\n")
            assert refused.headers["www-authenticate"] == "Basic"
        for header in ("Basic", "Basic !", "Basic bWU=", "Bearer right", "Basic /zpyaWdodA=="):
            assert (await ask(url, authorization=header)).status_code == 401
        async with httpx.AsyncClient(trust_env=False) as client:
            outside_ascii = [(b"authorization", b"Basic \xe9\xe9")]
            assert (await client.get(url, headers=outside_ascii)).status_code == 401
        written(tmp_path, "")
        assert (await ask(url)).status_code == 200

    serve(path, visit)


def test_a_long_password(tmp_path: Path) -> None:
    """Only the 72 bytes that bcrypt uses count."""
    hashed = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()

    async def visit(url: str) -> None:
        assert (await ask(url, None, "me", "x" * 100)).status_code == 200
        assert (await ask(url, None, "me", "x" * 71)).status_code == 401

    serve(written(tmp_path, f"basic_auth_users: {{me: '{hashed}'}}\n"), visit)


def header(name: str, password: str) -> str:
    """Return an `Authorization` header."""
    asked = next(httpx.BasicAuth(name, password).auth_flow(httpx.Request("GET", "http://a")))
    return str(asked.headers["authorization"])


def test_each_password_is_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown user costs as much as a wrong password; a known password costs nothing."""
    compared: list[bytes] = []

    def matches(password: bytes, _: bytes) -> bool:
        compared.append(password)
        return password == b"right"

    monkeypatch.setattr(basic_auth, "_matches", matches)
    users = {"me": Secret(HASH)}

    async def run() -> None:
        passwords = Passwords()
        for _ in range(2):
            assert await passwords.accepts(users, header("me", "right")) is True
            assert await passwords.accepts(users, header("me", "wrong")) is False
            assert await passwords.accepts(users, header("them", "right")) is False
        assert compared == [b"right", b"wrong", b"right"]
        # A password of an older file is no longer known.
        assert await passwords.accepts({"me": Secret(HASH[:-1] + "x")}, header("me", "right")) is True
        assert len(compared) == 4

    asyncio.run(run())


def test_a_flood_of_wrong_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few wait, one is compared at a time, and known users are answered at once."""
    compared: list[bytes] = []
    users = {"me": Secret(HASH)}

    async def run() -> None:
        passwords = Passwords()
        assert await passwords.accepts(users, header("me", "right")) is True
        held = asyncio.Event()

        async def slowly(_function: Any, password: bytes, _hashed: bytes) -> bool:
            compared.append(password)
            await held.wait()
            return False

        monkeypatch.setattr(asyncio, "to_thread", slowly)
        flood = [
            asyncio.create_task(passwords.accepts(users, header("me", f"wrong {number}")))
            for number in range(200)
        ]
        await asyncio.wait(flood[8:])
        assert await passwords.accepts(users, header("me", "right")) is True
        assert compared == [b"wrong 0"]
        held.set()
        assert await asyncio.gather(*flood) == [False] * 8 + [None] * 192
        for number in range(200):
            assert await passwords.accepts(users, header("me", f"more {number}")) is False
        count = len(compared)
        assert await passwords.accepts(users, header("me", "more 199")) is False
        assert await passwords.accepts(users, header("me", "right")) is True
        assert len(compared) == count

    asyncio.run(run())


def test_too_many_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many requests are asked to come again, with a right password too."""
    monkeypatch.setattr(basic_auth, "_WAITING", 0)

    async def visit(url: str) -> None:
        refused = await ask(url, None, "me", "right")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")

    serve(written(tmp_path, f"basic_auth_users: {{me: '{HASH}'}}\n"), visit)


def test_headers(tmp_path: Path) -> None:
    """Headers come with every answer that does not set them, refusals too."""
    headers = "{X-Frame-Options: deny, Strict-Transport-Security: max-age=31536000}"
    path = written(
        tmp_path, f"http_server_config: {{headers: {headers}}}\nbasic_auth_users: {{me: '{HASH}'}}\n"
    )

    async def visit(url: str) -> None:
        for answer, frames in (
            (await ask(url, None, "me", "right"), "sameorigin"),
            (await ask(url), "deny"),
        ):
            assert answer.headers.get_list("x-frame-options") == [frames]
            assert answer.headers["strict-transport-security"] == "max-age=31536000"

    serve(path, visit)


@contextmanager
def failing() -> Iterator[None]:
    """Expect that there is no answer."""
    with pytest.raises((httpx.TransportError, ssl.SSLError)):
        yield


@pytest.mark.parametrize(
    ("more", "with_certificate", "without"),
    [
        ("", True, True),
        (", client_auth_type: VerifyClientCertIfGiven, client_ca_file: ca.pem", True, True),
        (", client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem", True, False),
        (", client_auth_type: VerifyClientCertIfGiven, client_ca_file: ca.pem, client_allowed_sans: [exporter]", True, True),
        (", client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem, client_allowed_sans: [a, exporter]", True, False),
        (", client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem, client_allowed_sans: [a]", False, False),
    ],
)  # fmt: skip
def test_certificates_of_clients(more: str, with_certificate: bool, without: bool, folder: Path) -> None:  # noqa: FBT001
    """Clients without a certificate, or with a wrong name, are refused where the file says so."""

    async def visit(url: str) -> None:
        for client, passes in (("client", with_certificate), ("", without)):
            if passes:
                assert (await ask(url, trusting(folder, client))).text == "here"
            else:
                with failing():
                    await ask(url, trusting(folder, client))

    serve(written(folder, f"{TLS}{more}}}\n"), visit)


@pytest.mark.parametrize(
    ("more", "version", "passes"),
    [
        (", min_version: TLS13", "TLSv1_2", False),
        (", max_version: TLS12", "TLSv1_3", False),
        (", cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]", "TLSv1_2", True),
        (", cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]", "TLSv1_2", False),
        (", cipher_suites: [TLS_AES_128_GCM_SHA256]", "TLSv1_2", False),
        (", cipher_suites: [TLS_AES_128_GCM_SHA256]", "TLSv1_3", True),
    ],
)
def test_versions_and_ciphers(more: str, version: str, passes: bool, folder: Path) -> None:  # noqa: FBT001
    """Only the versions and ciphers of the file are accepted."""
    only = ssl.TLSVersion[version]
    tls = trusting(folder, minimum_version=ssl.TLSVersion.TLSv1_2)
    tls.minimum_version = tls.maximum_version = only

    async def visit(url: str) -> None:
        if passes:
            assert (await ask(url, tls)).text == "here"
        else:
            with failing():
                await ask(url, tls)

    serve(written(folder, f"{TLS}{more}}}\n"), visit)


def test_what_is_renewed_is_read_again(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """New files count from the next connection; half of a pair, or a mistake, changes nothing."""
    other = tmp_path_factory.mktemp("other")
    make(other)

    async def visit(url: str) -> None:
        before, after = trusting(folder), trusting(other)
        async with httpx.AsyncClient(verify=before, trust_env=False) as kept:
            assert (await kept.get(url)).text == "here"
            (other / "server.pem").rename(folder / "server.pem")
            assert (await ask(url, before)).text == "here"
            (other / "server.key").rename(folder / "server.key")
            assert (await ask(url, after)).text == "here"
            assert (await kept.get(url)).text == "here"
            with failing():
                await ask(url, before)
        for text in ("tls_server_config: {}\n", "rate_limit: {}\n", "", "a: ["):
            written(folder, text)
            assert (await ask(url, after)).text == "here"
        (folder / "web.yml").unlink()
        assert (await ask(url, after)).text == "here"
        written(folder, f"{TLS}}}\nbasic_auth_users: {{me: '{HASH}'}}\n")
        assert (await ask(url, after)).status_code == 401

    with capture_logs() as logs:
        serve(written(folder, f"{TLS}}}\n"), visit)
    events = [each["event"] for each in logs]
    assert events[0] == "web configuration cannot be read again"
    assert "web configuration can be read again" in events
    assert "key, without a passphrase" in str(logs[0]["error"])


def test_a_certificate_that_appears_later(folder: Path) -> None:
    """A file that names a certificate which does not exist yet counts as soon as it does, without a new change."""

    async def visit(url: str) -> None:
        written(folder, TLS.replace("server.", "later.") + "}\nbasic_auth_users: {me: '" + HASH + "'}\n")
        assert (await ask(url, trusting(folder))).status_code == 200
        for kind in ("pem", "key"):
            (folder / f"later.{kind}").write_bytes((folder / f"server.{kind}").read_bytes())
        assert (await ask(url, trusting(folder))).status_code == 401

    serve(written(folder, f"{TLS}}}\n"), visit)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("tls_server_config: {}", "tls_server_config.cert_file: found nothing, expected the path of a file"),
        (f"{TLS}x}}", r'tls_server_config.key_file: found "server.keyx", expected a file that can be read'),
        (f"{TLS}, client_auth_type: RequireAndVerifyClientCert}}", "tls_server_config.client_ca_file: found nothing beside Req"),
        (f"{TLS}, client_ca_file: ca.pem}}", "tls_server_config.client_ca_file: found it without client_auth_type"),
        (f"{TLS}, client_allowed_sans: [a]}}", "tls_server_config.client_allowed_sans: found it without client_auth_type"),
        (f"{TLS}, client_auth_type: RequestClientCert}}", 'tls_server_config.client_auth_type: found "RequestClientCert"'),
        (f"{TLS}, client_auth_type: RequireAnyClientCert}}", 'tls_server_config.client_auth_type: found "RequireAny'),
        (f"{TLS}, client_auth_type: RequireAndVerifyClientCert, client_ca_file: server.key}}", "tls_server_config.client_ca_file: found "),
        (f"{TLS}, min_version: TLS13, max_version: TLS12}}", "tls_server_config.max_version: found TLS12, expected at least"),
        (f"{TLS}, min_version: TLS11}}", 'tls_server_config.min_version: found "TLS11", expected one of TLS12, TLS13'),
        (f"{TLS}, cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]}}", 'tls_server_config.cipher_suites[0]: found "TLS_RSA'),
        (f"{TLS}, curve_preferences: [X25519]}}", "tls_server_config.curve_preferences: found it, expected nothing"),
        (f"{TLS}, cert: x}}", "tls_server_config.cert: found it, expected the name of a file"),
        ("tls_server_config: {cert_file: ca.pem, key_file: server.key}", "tls_server_config.cert_file: found "),
        ("http_server_config: {http2: true}", "http_server_config.http2: found true, expected false"),
        ("http_server_config: {headers: {X-Own: a}}", 'http_server_config.headers.X-Own: found "X-Own", expected one of'),
        ("basic_auth_users: {me: TopSecret}", "basic_auth_users.me: found something else (not shown), expected a password"),
        ("basic_auth_users: me:TopSecret", "basic_auth_users: found a text with a colon (not shown), expected a mapping, with a blank after each colon"),
        ("basic_auth_users: {me:TopSecret}", "basic_auth_users: found a key with a colon (not shown), expected a mapping, with a blank"),
        ("basic_auth_user: {}", "basic_auth_user: unknown key, did you mean basic_auth_users?"),
        ("rate_limit: {interval: 1s}", "rate_limit: found it, expected nothing: the exporter cannot do that"),
        ("a: [", "line 1, column 5: found a bracket that is never closed"),
        ("[]", "configuration: found a list, expected a mapping"),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, mistake: str, folder: Path) -> None:
    """The error names the setting and the file, without a secret."""
    path = written(folder, f"{text}\n")
    with pytest.raises(ConfigError) as caught:
        WebAccess(path, LOG)
    assert re.match(re.escape(f"{path}: {mistake}"), caught.value.mistakes[0]), caught.value.mistakes
    assert "TopSecret" not in repr(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        'basic_auth_users:\n  me: "$2y$10$hunter2\n',
        'basic_auth_users:\n  me: "$2y$10$hunter2"x\n',
        "basic_auth_users:\n  me: @hunter2\n",
        "basic_auth_users: {me: hunter2",
        "tls_server_config:\n  key: |\n    -----BEGIN PRIVATE KEY-----\n    MIIE\n   hunter2\n",
    ],
)
def test_a_syntax_mistake_shows_no_line(text: str, tmp_path: Path) -> None:
    """Any line of this file may hold a secret."""
    with pytest.raises(ConfigError) as caught:
        load_web_config(written(tmp_path, text))
    assert re.fullmatch(r"\S+web\.yml: line \d+, column \d+: found .+, expected .+", str(caught.value))
    assert "hunter2" not in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    """A missing file is named."""
    with pytest.raises(ConfigError, match=r"web\.yml: found no file that can be read"):
        load_web_config(tmp_path / "web.yml")


def scraped(folder: Path, address: str) -> dict[str, str]:
    """Return what a real Prometheus says of targets with a right password, a wrong one, and without a certificate."""
    certificate = f", cert_file: {folder}/client.pem, key_file: {folder}/client.key"
    jobs = "".join(
        f"- {{job_name: {job}, scheme: https, static_configs: [{{targets: ['{address}']}}],"
        f" basic_auth: {{username: me, password: {password}}}, tls_config: {{ca_file: {folder}/ca.pem{client}}}}}\n"
        for job, password, client in (
            ("right", "right", certificate),
            ("wrong", "wrong", certificate),
            ("unknown", "right", ""),
        )
    )
    (folder / "prometheus.yml").write_text(f"global: {{scrape_interval: 1s}}\nscrape_configs:\n{jobs}")
    with prometheus(folder / "prometheus.yml", folder / "data") as url:

        def up() -> dict[str, str]:
            found = loopback.get(f"{url}/api/v1/query", params={"query": "up"}).json()
            ups = {each["metric"]["job"]: each["value"][1] for each in found["data"]["result"]}
            return ups if len(ups) == 3 else {}

        return dict(until(up))


def test_a_mistake_is_refused_at_the_start(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The program ends with what was found and expected."""
    (folder / "exporter.yml").write_text("instances: [{name: a, url: 'http://127.0.0.1:9'}]\n")
    file = written(folder, "rate_limit: {}\n")
    assert cli.main([f"--config.file={folder}/exporter.yml", f"--web.config.file={file}"]) == 2
    said = f"error: {file}: rate_limit: found it, expected nothing: the exporter cannot do that\n"
    assert capsys.readouterr() == ("", said)


def test_the_program(folder: Path) -> None:
    """With curl and Prometheus, TLS, certificates and passwords work."""
    (folder / "exporter.yml").write_text("instances: [{name: a, url: 'http://127.0.0.1:9'}]\n")
    words = [sys.executable, "-m", "feldera_exporter", f"--config.file={folder}/exporter.yml"]
    words += ["--web.listen-address=127.0.0.1:0", f"--web.config.file={folder}/web.yml", "--log.format=json"]
    clients = "client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem, client_allowed_sans: [exporter]"
    written(folder, f"{TLS}, {clients}}}\nbasic_auth_users: {{me: '{HASH}'}}\n")
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            started = next(line for line in process.stderr if '"started"' in line)
            address = re.findall(r"127\.0\.0\.1:\d+", started)[0]
            curl = ["curl", "-s", "--noproxy", "*", "--cacert", f"{folder}/ca.pem"]
            curl += ["--cert", f"{folder}/client.pem", "--key", f"{folder}/client.key"]
            curl += [f"https://{address}/metrics"]
            right = subprocess.run([*curl, "-u", "me:right"], capture_output=True, text=True, check=True)
            wrong = subprocess.run([*curl, "-u", "me:wrong"], capture_output=True, text=True, check=True)
            assert "feldera_exporter_build_info" in right.stdout
            assert wrong.stdout == "Unauthorized\n"
            # As the image's health check finds out, who has no certificate.
            assert [f"{host}:{port}" for host, port in healthcheck.listened(process.pid)] == [address]
            assert healthcheck.main(process.pid) == 0
            assert scraped(folder, address) == {"right": "1", "wrong": "0", "unknown": "0"}
        finally:
            process.terminate()
            process.communicate(timeout=30)


def test_a_file_system_without_a_file(folder: Path) -> None:
    """A certificate that is gone stays as it was."""

    async def visit(url: str) -> None:
        (folder / "server.key").unlink()
        assert (await ask(url, trusting(folder))).text == "here"

    serve(written(folder, f"{TLS}}}\n"), visit)
