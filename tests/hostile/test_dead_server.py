"""A server that does not answer, from the start or later, causes one line per instance in the log."""

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from feldera_exporter.config import Configuration, Instance
from feldera_exporter.exporter import Exporter
from feldera_exporter.polling import platform_poller
from feldera_exporter.simulator.asgi_thread import serve
from hostile.test_mistakes import polls, soon
from support.disturbed_server import SERVER_ERROR, DisturbedServer
from support.two_instances import feldera


@pytest.fixture
def refused() -> Iterator[str]:
    """The address of a port that refuses connections as long as the test lasts."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the time after which a failed request is repeated."""
    monkeypatch.setattr(platform_poller, "_RETRY", 0.05)


def test_a_dead_server_is_one_line_for_each_instance(refused: str) -> None:
    """A dead server causes one line in the log for each instance, however many requests fail."""
    instances = tuple(_instance(name, refused) for name in ("one", "two"))

    async def run() -> None:
        exporter = Exporter(lambda: Configuration(instances), None)
        exporter.start()
        for each in instances:
            await soon(lambda each=each: polls(exporter, each.name, "unreachable") >= 3)  # type: ignore[misc]
        await exporter.stop()

    with capture_logs() as lines:
        asyncio.run(run())
    assert sorted((line["feldera_instance"], line["event"]) for line in lines) == [
        ("one", "poll failed"),
        ("two", "poll failed"),
    ]


def test_a_server_that_dies_later_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that fails later causes one line, also if another endpoint fails first."""
    monkeypatch.setattr(platform_poller, "_RETRY", 1.5)
    monkeypatch.setattr(
        platform_poller,
        "QUESTIONS",
        tuple(replace(question, every=0.1) for question in platform_poller.QUESTIONS),
    )
    server = DisturbedServer(feldera("etl"))
    with serve(server) as url, capture_logs() as lines:

        async def run() -> None:
            exporter = Exporter(lambda: Configuration((_instance("one", url),)), None)
            exporter.start()
            await soon(lambda: polls(exporter, "one", "success") >= 1)
            for route in ("pipelines", "config", "session", "cluster_healthz"):
                server.faults.set(route, SERVER_ERROR)
            await soon(lambda: polls(exporter, "one", "server_error") >= 4)
            await exporter.stop()

        asyncio.run(run())
    assert [line["event"] for line in lines if line["log_level"] == "warning"] == ["poll failed"]


def test_an_endpoint_that_fails_alone_is_named() -> None:
    """If the list is read, the failure of another endpoint is logged separately."""
    server = DisturbedServer(feldera("etl"))
    server.faults.set("cluster_healthz", SERVER_ERROR)
    with serve(server) as url, capture_logs() as lines:

        async def run() -> None:
            exporter = Exporter(lambda: Configuration((_instance("one", url),)), None)
            exporter.start()
            await soon(lambda: any(line["event"] == "no answer from cluster_healthz" for line in lines))
            await exporter.stop()

        asyncio.run(run())
    assert [line["kind"] for line in lines if line["log_level"] == "warning"] == ["server_error"]


def _instance(name: str, url: str) -> Instance:
    return Instance(name, url, poll_interval=1.0, timeout=1.0)
