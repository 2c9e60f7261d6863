"""Failures of one Alertmanager do not affect others, and are logged when they begin and when they end."""

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time
from structlog.testing import capture_logs

from alertmanager.bridges import Polls, bridge, never, running, stuck, until
from feldera_exporter.config import Authorization, BasicAuth, Tls
from feldera_exporter.demo.child_programs import free_port
from feldera_exporter.exposition.text import Format
from feldera_exporter.problems.evaluate import InstanceWithProblems
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.telemetry import Telemetry
from support.alertmanagers import GOOD, AlertmanagerRecorder, Answer
from support.certificates import make
from support.raw_server import Request, answer, serving_raw

MANY = tuple(stuck(f"p{number:02}") for number in range(30))


def sample(telemetry: Telemetry, name: str, url: str = "") -> float:
    """Return a sample of the exporter's own metrics, 0 where there is none."""
    label = f'{{alertmanager="{url.removeprefix("http://")}"}}' if url else ""
    lines = telemetry.expose(Format.TEXT).decode().splitlines()
    found = [line for line in lines if line.startswith(f"feldera_exporter_{name}{label} ")]
    return float(found[0].rpartition(" ")[2]) if found else 0.0


def refusing(*names: str) -> Callable[[str, bytes], Answer]:
    """Return what refuses every batch with an alert of these pipelines."""

    def act(_path: str, body: bytes) -> Answer:
        received = {alert["labels"]["pipeline_name"] for alert in json.loads(body)}
        return (400, {}, b'"bad label"') if received & set(names) else GOOD

    return act


def test_alerts_fail_from_the_start() -> None:
    """Alerts of all instances count as failed also where Alertmanager has never answered."""
    telemetry, recorder = Telemetry("1", "3"), AlertmanagerRecorder(lambda _path, _body: (503, {}, b""))

    async def run() -> None:
        with serve(recorder) as url:
            made = bridge(url, telemetry=telemetry)
            for name in ("prod", "other"):
                Polls(made, name=name).find(*MANY)
            async with running(made):
                await until(lambda: sample(telemetry, "notifications_failed_total", url) >= 2 * len(MANY))
            assert recorder.alerts == []

    asyncio.run(run())


def test_a_refused_alert_delays_no_other() -> None:
    """A refused alert is logged once and counted each time; the other alerts are sent, and later it too."""
    telemetry, recorder = Telemetry("1", "3"), AlertmanagerRecorder(refusing("p07", "p23"))

    async def run() -> None:
        with serve(recorder) as url, capture_logs() as logs:
            async with running(bridge(url, telemetry=telemetry, resend_interval=0.5, timeout=0.5)) as made:
                polls = Polls(made)
                polls.find(*MANY)
                await until(lambda: sample(telemetry, "notifications_sent_total", url) == 28)
                assert sample(telemetry, "notifications_failed_total", url) == 2
                recorder.posts.clear()
                for _ in range(3):
                    await asyncio.sleep(0.5)
                    polls.show()
                await until(lambda: sample(telemetry, "notifications_failed_total", url) >= 6)
                assert sorted({len(post) for post in recorder.posts}) == [1, 28]
                said = [each for each in logs if each["log_level"] == "warning"]
                assert [each["event"] for each in said] == ["an alert is refused"] * 2
                assert {each["alert"]["pipeline_name"] for each in said} == {"p07", "p23"}
                assert "bad label" in said[0]["error"]
                recorder.answer = lambda *_: GOOD
                sent = sample(telemetry, "notifications_sent_total", url)
                await asyncio.sleep(0.5)
                polls.show()
                await until(lambda: sample(telemetry, "notifications_sent_total", url) >= sent + 30)
                assert len(recorder.alerts) > 30

    asyncio.run(run())


FAILURES: Mapping[str, tuple[Answer, str]] = {
    "redirect": ((302, {"location": "http://127.0.0.1:1/"}, b""), "redirect"),
    "html": ((200, {"content-type": "text/html"}, b"<html>"), "invalid_response"),
    "unauthorized": ((401, {}, b"who?"), "unauthorized"),
    "forbidden": ((403, {}, b""), "unauthorized"),
    "too_large": ((413, {}, b""), "refused"),
    "everything_refused": ((400, {}, b"no such API"), "refused"),
    "too_many": ((429, {"retry-after": "1"}, b""), "server_error"),
    "server_error": ((503, {}, b""), "server_error"),
    "no_gzip": ((200, {"content-encoding": "gzip"}, b"x"), "invalid_response"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_one_failing_alertmanager_of_two(name: str) -> None:
    """Another Alertmanager gets all alerts; beginning and end of the failure are logged once."""
    failure, kind = FAILURES[name]
    bad, good = AlertmanagerRecorder(lambda *_: failure), AlertmanagerRecorder()

    async def run() -> None:
        with serve(bad) as bad_url, serve(good) as good_url, capture_logs() as logs:
            async with running(bridge(bad_url, good_url, resend_interval=0.5, timeout=0.5)) as made:
                polls = Polls(made)
                polls.find(stuck("a"))
                await until(lambda: good.alerts)
                await until(lambda: len(bad.posts) >= 3)
                bad.answer = lambda *_: GOOD
                bad.posts.clear()
                await until(lambda: bad.alerts)
                assert bad.alerts[0]["labels"] == good.alerts[0]["labels"]
                await until(lambda: any(each["event"] == "alerts can be sent again" for each in logs))
                began = [each for each in logs if each["event"] == "alerts cannot be sent"]
                assert [(each["kind"], each["log_level"]) for each in began] == [(kind, "warning")]
                assert began[0]["alertmanager"] == bad_url.removeprefix("http://")
                assert not [
                    each for each in logs if each.get("alertmanager") == good_url.removeprefix("http://")
                ]

    asyncio.run(run())


def test_an_alertmanager_that_does_not_answer() -> None:
    """An Alertmanager that does not answer gets one request at a time, and delays no other."""
    good = AlertmanagerRecorder()

    def silent(request: Request) -> None:
        request.pause(60)

    async def run() -> None:
        with serving_raw(act=silent) as raw_server, serve(good) as url:
            async with running(bridge(raw_server.url, url, timeout=0.3)) as made:
                Polls(made).find(stuck("a"))
                await until(lambda: good.alerts, seconds=3)
                await until(lambda: len(raw_server.requests) >= 2)
                assert len(raw_server.open) <= 2

    asyncio.run(run())


def test_retry_after() -> None:
    """Nothing is sent before the time of a Retry-After is over."""
    recorder = AlertmanagerRecorder(lambda *_: (429, {"retry-after": "20"}, b""))

    async def run() -> None:
        with freeze_time("2026-08-21T12:00:00Z", real_asyncio=True) as clock, serve(recorder) as url:
            async with running(bridge(url)) as made:
                await until(lambda: made._senders)
                ((sender, _),) = made._senders.values()
                await until(lambda: sender._failures)
                polls = Polls(made)
                recorder.answer = lambda *_: GOOD
                clock.tick(19)
                polls.find(stuck("a"))
                await never(lambda: recorder.alerts)
                clock.tick(1)
                polls.show()
                await until(lambda: recorder.alerts)

    asyncio.run(run())


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Return what names resolve to, for a test to fill; what is not in there cannot be resolved."""
    known: dict[str, list[str]] = {}

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in known[host]
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


def test_each_address_is_an_alertmanager(names: dict[str, list[str]]) -> None:
    """Each address of a name gets every alert, with the name as Host; an address that is gone loses its series."""
    telemetry, port = Telemetry("1", "3"), free_port()
    recorders = {host: AlertmanagerRecorder() for host in ("127.0.0.1", "127.0.0.2", "127.0.0.3")}

    async def run() -> None:
        with (
            serve(recorders["127.0.0.1"], "127.0.0.1", port),
            serve(recorders["127.0.0.2"], "127.0.0.2", port),
            serve(recorders["127.0.0.3"], "127.0.0.3", port),
        ):
            names["am"] = ["127.0.0.2", "127.0.0.1", "127.0.0.1", "::1"]
            made = bridge(f"http://am:{port}/base", telemetry=telemetry, resend_interval=0.3, timeout=0.3)
            async with running(made):
                polls = Polls(made)
                polls.find(stuck("a"))
                for host in names["am"][:2]:
                    await until(lambda host: recorders[host].alerts, host)
                    assert recorders[host].headers["host"] == f"am:{port}"
                    assert set(recorders[host].paths) == {"/base/api/v2/alerts"}
                assert not recorders["127.0.0.3"].posts
                names["am"] = ["127.0.0.1", "127.0.0.3"]
                await until(lambda: recorders["127.0.0.3"].alerts)
                await until(lambda: "127.0.0.2" not in telemetry.expose(Format.TEXT).decode())
                count = len(recorders["127.0.0.2"].posts)
                del names["am"]
                polls.find(stuck("b"))
                for host in ("127.0.0.1", "127.0.0.3"):
                    await until(
                        lambda host: (
                            "b" in {each["labels"]["pipeline_name"] for each in recorders[host].alerts}
                        ),
                        host,
                    )
                assert len(recorders["127.0.0.2"].posts) == count

    asyncio.run(run())


def test_two_names_of_one_address(names: dict[str, list[str]]) -> None:
    """Each name gets every alert under its own Host, and both may leave an address; no metrics of it stay at the end."""
    telemetry, port = Telemetry("1", "3"), free_port()
    recorders = {host: AlertmanagerRecorder() for host in ("127.0.0.1", "127.0.0.2")}
    hosts = {host: set[str]() for host in recorders}

    def noting(host: str) -> Callable[..., Answer]:
        def answer(*_: Any) -> Answer:
            hosts[host].add(recorders[host].headers["host"])
            return GOOD

        return answer

    for host, recorder in recorders.items():
        recorder.answer = noting(host)

    async def run() -> None:
        with (
            serve(recorders["127.0.0.1"], "127.0.0.1", port),
            serve(recorders["127.0.0.2"], "127.0.0.2", port),
        ):
            names["am"] = names["alerts"] = ["127.0.0.1"]
            urls = (f"http://am:{port}", f"http://alerts:{port}", f"http://am:{port}")
            made = bridge(*urls, telemetry=telemetry, resend_interval=0.3, timeout=0.3)
            async with running(made):
                Polls(made).find(stuck("a"))
                await until(lambda: hosts["127.0.0.1"] == {f"am:{port}", f"alerts:{port}"})
                names["am"] = ["127.0.0.2"]
                await until(lambda: hosts["127.0.0.2"] == {f"am:{port}"})
                assert sample(telemetry, "notifications_sent_total", f"127.0.0.1:{port}") > 0
                names["alerts"] = ["127.0.0.2"]
                await until(lambda: hosts["127.0.0.2"] == {f"am:{port}", f"alerts:{port}"})
                await until(lambda: "127.0.0.1" not in telemetry.expose(Format.TEXT).decode())
                assert len(made._senders) == 2
            assert f":{port}" not in telemetry.expose(Format.TEXT).decode()

    asyncio.run(run())


def test_a_name_that_means_nothing_yet(names: dict[str, list[str]]) -> None:
    """A name that does not resolve is logged and counted, and looked up again."""
    telemetry, recorder = Telemetry("1", "3"), AlertmanagerRecorder()

    async def run() -> None:
        with serve(recorder) as url, capture_logs() as logs:
            port = url.rpartition(":")[2]
            made = bridge(f"http://am:{port}", telemetry=telemetry, resend_interval=0.3, timeout=0.3)
            async with running(made):
                Polls(made).find(stuck("a"))
                await until(lambda: sample(telemetry, "notifications_failed_total", f"am:{port}") >= 2)
                names["am"] = ["127.0.0.1"]
                await until(lambda: recorder.alerts)
                logged = [each["event"] for each in logs if each.get("alertmanager") == f"am:{port}"]
                assert logged == [
                    "Alertmanager's name cannot be resolved",
                    "Alertmanager's name can be resolved again",
                ]
                assert f'"am:{port}"' not in telemetry.expose(Format.TEXT).decode()

    asyncio.run(run())


def test_a_name_server_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the name server hangs, alerts go to the known addresses and no second lookup starts."""
    ending, asked, recorder = threading.Event(), [], AlertmanagerRecorder()
    look_up = socket.getaddrinfo

    def hang(host: str, port: int, **more: Any) -> Any:
        asked.append(host)
        if host == "slow" or len([each for each in asked if each == host]) > 1:
            ending.wait(20)
        return look_up("127.0.0.1", port, **more)

    monkeypatch.setattr(socket, "getaddrinfo", hang)

    async def run() -> None:
        with serve(recorder) as url:
            port = url.rpartition(":")[2]
            made = bridge(f"http://slow:{port}", f"http://quick:{port}", resend_interval=0.2, timeout=0.2)
            async with running(made):
                polls = Polls(made)
                polls.find(stuck("a"))
                await until(lambda: recorder.alerts)
                await asyncio.sleep(1)
                polls.find(stuck("b"))
                await until(lambda: "b" in {each["labels"]["pipeline_name"] for each in recorder.alerts})
        assert sorted(asked) == ["quick", "quick", "slow"]

    try:
        asyncio.run(run())
    finally:
        ending.set()


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """Return a folder with a password and a token."""
    (tmp_path / "password").write_text("open sesame\n")
    (tmp_path / "token").write_text("tok-1\n")
    return tmp_path


def test_credentials_are_read_for_each_request(secrets: Path) -> None:
    """Password and token are read for each request; while a file cannot be read, the last value is used."""
    recorder = AlertmanagerRecorder()

    async def run() -> None:
        with serve(recorder) as url, capture_logs() as logs:
            basic = {"basic_auth": BasicAuth("exporter", secrets / "password")}
            async with running(bridge(url, **basic)):
                await until(lambda: recorder.posts)
                assert recorder.headers["authorization"] == "Basic ZXhwb3J0ZXI6b3BlbiBzZXNhbWU="
            token = secrets / "token"
            made = bridge(url, authorization=Authorization(token))
            async with running(made):
                polls = Polls(made)
                await until(lambda: recorder.headers["authorization"] == "Bearer tok-1")
                for name, text, expected in (
                    ("a", "tok-2", "tok-2"),
                    ("b", "", "tok-2"),
                    ("c", "tok-3", "tok-3"),
                ):
                    token.write_text(text)
                    polls.find(stuck(name))
                    await until(
                        lambda name: name in {each["labels"]["pipeline_name"] for each in recorder.alerts},
                        name,
                    )
                    assert recorder.headers["authorization"] == f"Bearer {expected}"
            assert "tok-" not in repr(logs)
            assert any("it is empty" in str(each) for each in logs)

    asyncio.run(run())


@pytest.mark.parametrize("text", ["", "\n", "a\nb", "x" * 5_000, "\x07"])
def test_no_password(secrets: Path, text: str) -> None:
    """With an empty password file no header is sent."""
    (secrets / "password").write_text(text)
    recorder = AlertmanagerRecorder()

    async def run() -> None:
        with serve(recorder) as url:
            async with running(bridge(url, basic_auth=BasicAuth("exporter", secrets / "password"))):
                await until(lambda: recorder.posts)
                assert "authorization" not in recorder.headers

    asyncio.run(run())


def test_a_secret_is_not_repeated(secrets: Path) -> None:
    """An Alertmanager that repeats the token does not bring it into the log."""
    recorder = AlertmanagerRecorder(lambda *_: (500, {}, b"who is Bearer tok-1 or tok-1?"))

    async def run() -> None:
        with serve(recorder) as url, capture_logs() as logs:
            async with running(bridge(url, authorization=Authorization(secrets / "token"))):
                await until(lambda: any("who is" in str(each.get("error")) for each in logs))
            assert "tok-1" not in repr(logs)

    asyncio.run(run())


def test_tls(tmp_path: Path) -> None:
    """A server is trusted only if the configured authority signed its certificate."""
    make(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")

    def accept(request: Request) -> None:
        request.send(answer(b""))

    async def run() -> None:
        with serving_raw(act=accept, tls=context) as raw_server, capture_logs() as logs:
            async with running(bridge(raw_server.url, tls=Tls(ca_file=tmp_path / "ca.pem"))) as made:
                await until(lambda: raw_server.requests)
                assert made._senders
            count = len(raw_server.requests)
            async with running(bridge(raw_server.url)):
                await until(lambda: any(each.get("kind") == "unreachable" for each in logs))
            assert len(raw_server.requests) == count

    asyncio.run(run())


def test_a_closed_port() -> None:
    """A refused connection is logged, and sending is tried again."""

    async def run() -> None:
        with capture_logs() as logs:
            async with running(bridge(f"http://127.0.0.1:{free_port()}")):
                await until(lambda: any(each.get("kind") == "unreachable" for each in logs))

    asyncio.run(run())


def test_a_defect_ends_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect in taking a poll or in sending ends nothing else, and is logged without the alert."""
    recorder = AlertmanagerRecorder()

    async def run() -> None:
        with serve(recorder) as url, capture_logs() as logs:
            async with running(bridge(url)) as made:
                await until(lambda: recorder.posts)
                made.observe(InstanceWithProblems(None, None))  # type: ignore[arg-type]
                assert [each["kind"] for each in logs] == ["internal_error"]
                sender = next(iter(made._senders.values()))[0]
                monkeypatch.setattr(sender, "_instance", None)
                Polls(made).find(stuck("a"))
                await until(lambda: len([each for each in logs if each.get("kind") == "internal_error"]) == 2)
                monkeypatch.undo()
                await until(lambda: recorder.alerts)

    asyncio.run(run())
