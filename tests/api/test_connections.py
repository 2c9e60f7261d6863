"""Addresses, certificates and lifetimes of the client's connections."""

import asyncio
import shutil
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from feldera_exporter.config import Instance, Tls
from feldera_exporter.feldera import connections
from feldera_exporter.feldera.client import PIPELINES, Client
from feldera_exporter.feldera.errors import DeadlineError, FelderaError, UnreachableError
from feldera_exporter.polling.client_factory import client_for
from support.ask_once import KEY, RequestRecorder
from support.certificates import make
from support.raw_server import Request, answer, sends, serving_raw

GOOD = answer(b"[]")
Found = Callable[[str], Sequence[str]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[[Found], None]:
    """Return what sets which addresses names have."""

    def set_(found: Found) -> None:
        def look_up(name: str, *_: Any, **__: Any) -> list[Any]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 0)) for each in found(name)]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)

    return set_


def client(url: str, **more: Any) -> Client:
    """Return a client."""
    return Client(
        url, api_key=lambda: KEY, tls=None, max_response_size=2**20, observe=RequestRecorder(), **more
    )


async def asked(client: Client, within: float = 2.0) -> str:
    """Return the body of one answer, or the text of the error."""
    try:
        return (await client.get(PIPELINES, within=within)).body.decode()
    except FelderaError as error:
        return f"{type(error).__name__}: {error}"


def port(url: str) -> str:
    """Return the port of an address."""
    return url.rpartition(":")[2]


def test_a_name_that_hangs_is_looked_up_once_and_delays_no_other(names: Callable[[Found], None]) -> None:
    """A name whose lookup hangs is looked up once at a time, and delays neither other names nor the end."""
    go_on, looked_up = threading.Event(), list[str]()

    def found(name: str) -> Sequence[str]:
        looked_up.append(name)
        if name == "hangs":
            go_on.wait(20)
        return ["127.0.0.1"]

    async def run(url: str) -> None:
        hanging, good = client("http://hangs:1"), client(f"http://good:{port(url)}")
        late = await asyncio.gather(*(asked(hanging, 0.3) for _ in range(20)))
        assert set(late) == {f"{DeadlineError.__name__}: no complete response within the timeout"}
        assert await asked(good) == "[]"
        await hanging.close()
        await good.close()

    names(found)
    try:
        with serving_raw(act=sends(GOOD)) as server:
            asyncio.run(run(server.url))
        assert sorted(looked_up) == ["good", "hangs"]
        assert "look-up" in {thread.name for thread in threading.enumerate()}
    finally:
        go_on.set()


def test_a_name_that_does_not_exist(names: Callable[[Found], None]) -> None:
    """The error has the resolver's text, and the next request looks the name up again."""
    looked_up: list[str] = []

    def found(name: str) -> Sequence[str]:
        looked_up.append(name)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def run() -> None:
        asking = client("http://unknown:1")
        for _ in range(2):
            assert "the name unknown does not resolve" in await asked(asking)
        await asking.close()

    names(found)
    asyncio.run(run())
    assert looked_up == ["unknown"] * 2


def test_a_name_that_moves_is_followed(
    names: Callable[[Found], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that moves is followed although the old server still answers and its connection is in use."""
    with (
        serving_raw(act=sends(answer(b"[1]"), keep=True)) as server,
        socket.create_server(("127.0.0.2", int(port(server.url)))) as moved,
    ):
        addresses = ["127.0.0.1"]
        monkeypatch.setattr(connections, "MAX_AGE", 0.2)
        names(lambda _: addresses)
        threading.Thread(target=_answer, args=(moved, answer(b"[2]")), daemon=True).start()

        async def run() -> None:
            asking = client(f"http://moves:{port(server.url)}")
            assert [await asked(asking) for _ in range(2)] == ["[1]"] * 2
            addresses[:] = ["127.0.0.2"]
            await asyncio.sleep(0.3)
            assert await asked(asking) == "[2]"
            await asking.close()

        asyncio.run(run())


def _answer(listener: socket.socket, text: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(text)


def test_the_address_that_answers_is_tried_first(names: Callable[[Found], None]) -> None:
    """An address that did not answer is tried once, and later after the one that did."""
    tried: list[str] = []
    with serving_raw(act=sends(GOOD)) as server:
        names(lambda _: ["127.0.0.9", "127.0.0.1"])

        async def run() -> None:
            asking = client(f"http://both:{port(server.url)}")
            pool: Any = asking._http._transport
            inner = pool._pool._network_backend._inner
            connect = inner.connect_tcp

            async def noted(address: str, *more: Any) -> Any:
                tried.append(address)
                return await connect(address, *more)

            inner.connect_tcp = noted
            assert [await asked(asking) for _ in range(2)] == ["[]"] * 2
            await asking.close()

        asyncio.run(run())
    assert tried == ["127.0.0.9", "127.0.0.1", "127.0.0.1"]


class TestProxies:
    """A proxy from the environment."""

    def ask(self, url: str, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
        """Request from an instance with this environment."""
        for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
            for written in (name, name.upper()):
                monkeypatch.delenv(written, raising=False)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)

        async def run() -> str:
            asking = client_for(Instance("prod", url), RequestRecorder(), structlog.get_logger())
            try:
                return await asked(asking)
            finally:
                await asking.close()

        return asyncio.run(run())

    def test_it_is_asked_instead(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The proxy gets the whole address, and looks the name up itself."""
        with serving_raw(act=sends(GOOD), prefix="") as proxy:
            assert self.ask("http://feldera.test:1", {"HTTP_PROXY": proxy.url}, monkeypatch) == "[]"
            assert proxy.requests[0].path.startswith("http://feldera.test:1/v0/pipelines")

    @pytest.mark.parametrize("exempt", ["127.0.0.0/8", "127.0.0.1", "*", "10.0.0.0/8,127.0.0.1/32"])
    def test_what_is_exempt_is_asked_itself(self, exempt: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Requests to an exempt server do not go to the proxy, and neither does the key."""
        with serving_raw(act=sends(GOOD)) as server, serving_raw(act=sends(GOOD)) as proxy:
            assert self.ask(server.url, {"ALL_PROXY": proxy.url, "NO_PROXY": exempt}, monkeypatch) == "[]"
            assert (len(server.requests), proxy.requests) == (1, [])

    def test_an_error_names_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An error names the proxy without its password, whether it is missing or refuses."""
        said = self.ask("http://feldera.test", {"HTTP_PROXY": "http://me:secret@127.0.0.1:1"}, monkeypatch)
        assert said.startswith(f"{UnreachableError.__name__}: the proxy 127.0.0.1:1: ")
        assert "secret" not in said
        with serving_raw(act=sends(answer(b"", "403 Forbidden")), prefix="") as proxy:
            said = self.ask("https://feldera.test", {"HTTPS_PROXY": proxy.url}, monkeypatch)
        assert said == f"{UnreachableError.__name__}: the proxy refused: 403 Forbidden"


def test_certificates_are_read_again(tmp_path: Path) -> None:
    """A new connection uses the present content of the files; a bad file changes nothing and is logged once."""
    old, new, here = tmp_path / "old", tmp_path / "new", tmp_path / "here"
    for folder in (old, new, here):
        folder.mkdir()
    make(old)
    make(new)

    def rotate(folder: Path) -> None:
        for name in ("ca.pem", "client.pem", "client.key"):
            shutil.copy(folder / name, here / f"{name}.new")
            (here / f"{name}.new").replace(here / name)

    def certificates(folder: Path) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=folder / "ca.pem")
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def act(request: Request) -> None:
        request.send(GOOD)

    rotate(old)
    tls = Tls(here / "ca.pem", here / "client.pem", here / "client.key")
    with (
        serving_raw(act=act, tls=certificates(old)) as first,
        serving_raw(act=act, tls=certificates(new)) as second,
        capture_logs() as logs,
    ):

        async def run() -> None:
            clients = [
                client_for(Instance("prod", each.url, tls=tls), RequestRecorder(), structlog.get_logger())
                for each in (first, second)
            ]
            answers = [await asked(each) for each in clients]
            assert answers[0] == "[]"
            assert "certificate" in answers[1].lower()
            (here / "client.key").write_text("no key")
            assert [await asked(clients[0]) for _ in range(2)] == ["[]"] * 2
            rotate(new)
            answers = [await asked(each) for each in clients]
            assert answers[1] == "[]"
            assert answers[0] != "[]"
            for each in clients:
                await each.close()

        asyncio.run(run())
    said = [each["event"] for each in logs]
    assert said.count("certificates cannot be read again") == 1
    assert said.count("certificates read again") == 2
