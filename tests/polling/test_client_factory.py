"""The client that an instance's configuration gives."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from feldera_exporter.config import Instance, Secret
from feldera_exporter.feldera.errors import UnauthorizedError
from feldera_exporter.polling import client_factory
from feldera_exporter.polling.client_factory import api_key, client_for
from feldera_exporter.simulator.asgi_thread import serve
from support.ask_once import RequestRecorder

LOG = structlog.get_logger()


def of_file(path: Path) -> Instance:
    """Return an instance whose key is in a file."""
    return Instance("prod", "http://127.0.0.1:1", api_key_file=path)


def test_a_key_by_value() -> None:
    """The key is the configured one; without one there is none."""
    assert api_key(Instance("prod", "http://127.0.0.1:1", Secret("apikey:x")), LOG)() == "apikey:x"
    assert api_key(Instance("prod", "http://127.0.0.1:1"), LOG)() is None


def test_a_rotated_key_is_read_again(tmp_path: Path) -> None:
    """The file is read each time; blanks around the key do not count."""
    path = tmp_path / "key"
    path.write_text("apikey:first\n")
    key = api_key(of_file(path), LOG)
    assert key() == "apikey:first"
    path.with_suffix(".new").write_text(" apikey:second \n")
    path.with_suffix(".new").replace(path)
    assert key() == "apikey:second"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (None, "No such file or directory"),
        (b"", "it is empty"),
        (b" \n\n", "it is empty"),
        (b"apikey:MARKER\nsecond line", "it holds something else than one line of visible ASCII characters"),
        (b"apikey:MARKER\xff", "it holds something else than one line of visible ASCII characters"),
        (b"apikey:MARKER\x00", "it holds something else than one line of visible ASCII characters"),
        (b"MARKER" * 1000, "it holds something else than one line of visible ASCII characters"),
    ],
)
def test_a_file_without_a_key(tmp_path: Path, content: bytes | None, kind: str) -> None:
    """The last key stays in use; the failure and its end are logged once, without the file's content."""
    path = tmp_path / "key"
    path.write_bytes(b"apikey:good")
    key = api_key(of_file(path), LOG)
    with capture_logs() as logs:
        assert key() == "apikey:good"
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        assert [key(), key()] == ["apikey:good"] * 2
        path.write_bytes(b"apikey:new")
        assert key() == "apikey:new"
    began, ended = logs
    assert (began["event"], began["error"]) == ("cannot read the API key's file", f"{path}: {kind}")
    assert (ended["event"], ended["failures"]) == ("the API key's file is readable again", 2)
    assert "MARKER" not in repr(logs)


def test_a_file_that_never_had_a_key(tmp_path: Path) -> None:
    """Without a key no credentials are sent."""
    (tmp_path / "key").touch()
    assert api_key(of_file(tmp_path / "key"), LOG)() is None


def test_headers_are_sent_with_every_request() -> None:
    """Configured headers are sent beside the key; an error that repeats one hides it."""
    token = "proxy-token-MARKER"
    seen: list[dict[str, str]] = []

    async def answer(scope: Any, _: Any, send: Any) -> None:
        seen.append({name.decode(): value.decode() for name, value in scope["headers"]})
        body = f'{{"message": "no: {token}", "error_code": "E"}}'.encode()
        await send(
            {
                "type": "http.response.start",
                "status": 403,
                "headers": [(b"content-type", b"application/json")],
            }
        )
        await send({"type": "http.response.body", "body": body})

    async def asked(url: str) -> str:
        client = client_for(
            Instance("prod", url, Secret("apikey:x"), headers={"X-Token": Secret(token)}),
            RequestRecorder(),
            LOG,
        )
        try:
            await client.list(within=5)
        except UnauthorizedError as error:
            return str(error)
        finally:
            await client.close()
        return ""

    with serve(answer) as url:
        said = asyncio.run(asked(url))
    assert [(each["x-token"], each["authorization"]) for each in seen] == [(token, "Bearer apikey:x")]
    assert "***" in said
    assert "MARKER" not in said


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1"])
def test_connecting_asks_nothing(url: str) -> None:
    """A client is made without a request."""
    asked = RequestRecorder()
    client_for(Instance("prod", url), asked, LOG)
    assert asked.codes == []


@pytest.mark.parametrize(("url", "verified"), [("HTTPS://a", True), ("https://a", True), ("HTTP://a", False)])
def test_verification_follows_the_scheme(url: str, verified: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    """Certificates are verified for https, however the scheme is written."""
    given: list[object] = []
    monkeypatch.setattr(client_factory, "Client", lambda _, **options: given.append(options["tls"]))
    client_for(Instance("prod", url), RequestRecorder(), LOG)
    assert [callable(each) and isinstance(each(), ssl.SSLContext) for each in given] == [verified]
