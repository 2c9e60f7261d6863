"""A reload of the configuration loses neither counters nor state."""

import asyncio
import gc
import itertools
import os
import signal
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest

from feldera_exporter.config import Configuration, Instance, Limits
from feldera_exporter.exporter import Exporter
from feldera_exporter.publisher import Publisher
from feldera_exporter.server.asgi import application
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.server import FelderaServer
from feldera_exporter.telemetry import Telemetry
from support import loopback
from support.alertmanagers import AlertmanagerRecorder
from support.clocks import ScaledClock
from support.exporter_process import exporter, until
from support.plans import INSTANT


@pytest.fixture
def feldera() -> Feldera:
    """Return a Feldera of now with two pipelines."""
    return _two_pipelines()


def _two_pipelines() -> Feldera:
    feldera = Feldera(ScaledClock(time.time_ns() // 1000))
    feldera.create("orders", tags=["cost:42"])
    feldera.create("payments")
    return feldera


@dataclass(frozen=True)
class ReloadedExporter:
    """The program on an instance `default`, which may be reloaded over HTTP.

    Attributes:
        address: where it answers.
        pid: of its process.
        configuration: its file.
        first: what was in it at the start.
    """

    address: str
    pid: int
    configuration: Path
    first: str

    def metrics(self) -> str:
        """Return what it shows."""
        return loopback.get(f"{self.address}/metrics").text

    def reload(self, text: str) -> httpx.Response:
        """Reload it with another configuration, and return its answer."""
        self.configuration.write_text(text)
        return loopback.request("POST", f"{self.address}/-/reload")


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReloadedExporter]:
    """Run one program for all tests."""
    folder = tmp_path_factory.mktemp("program")
    with (
        serve(FelderaServer(_two_pipelines())) as url,
        exporter(url, folder, "--web.enable-lifecycle") as (address, process),
    ):
        file = folder / "exporter.yml"
        yield ReloadedExporter(address, process.pid, file, file.read_text())


@pytest.fixture
def program(started: ReloadedExporter) -> ReloadedExporter:
    """Return the program with its first configuration."""
    assert started.reload(started.first).status_code == 200
    until(lambda: 'feldera_pipelines{feldera_instance="default"} 2' in started.metrics())
    return started


def _value(text: str, start: str) -> float:
    [line] = [line for line in text.splitlines() if line.startswith(start)]
    return float(line.rpartition(" ")[2])


def test_a_hangup_reloads(program: ReloadedExporter) -> None:
    """After SIGHUP the new filter, tag label and limit hold, and no sample of a kept pipeline was missing."""
    assert 'pipeline_name="payments"' in program.metrics()
    program.configuration.write_text(
        program.first.replace("poll_interval", "pipelines: {exclude: [payments]}, poll_interval")
        + 'tag_labels: {cost: "cost:(.+)"}\nlimits: {defaults: {Pending: 7s, CompilingSql: 7s, CompilingRust: 7s, SqlCompiled: 7s}}\n'
    )
    os.kill(program.pid, signal.SIGHUP)
    text = until(lambda: (text := program.metrics()) and 'cost="42"' in text and text)
    assert 'pipeline_name="payments"' not in text
    assert 'feldera_pipeline_deployment_status{feldera_instance="default",' in text
    assert _value(text, "feldera_pipelines{") == 1
    assert _value(text, "feldera_exporter_config_last_reload_successful") == 1


def test_a_mistake_keeps_the_running_configuration(program: ReloadedExporter) -> None:
    """It is in the answer, the log and a metric; polling goes on, and a good file is loaded."""
    answer = program.reload("instances: []\n")
    said = answer.text.partition("exporter.yml: ")[2]
    assert (answer.status_code, said.startswith("instances: found")) == (500, True), answer.text
    text = program.metrics()
    assert _value(text, "feldera_exporter_config_last_reload_successful") == 0
    assert _value(text, "feldera_pipelines{") == 2
    polls = 'feldera_exporter_polls_total{feldera_instance="default",outcome="success"}'
    until(lambda: _value(program.metrics(), polls) > _value(text, polls))
    assert "configuration not reloaded" in (program.configuration.parent / "exporter.log").read_text()
    assert program.reload(program.first).status_code == 200
    assert _value(program.metrics(), "feldera_exporter_config_last_reload_successful") == 1
    assert loopback.get(f"{program.address}/-/reload").status_code == 405


def test_an_instance_comes_and_goes(program: ReloadedExporter) -> None:
    """A new instance is polled at once; one that is no longer configured leaves no series."""
    program.configuration.write_text(program.first.replace("name: default", "name: other"))
    os.kill(program.pid, signal.SIGHUP)
    text = until(
        lambda: (text := program.metrics()) and 'feldera_up{feldera_instance="other"} 1' in text and text
    )
    assert 'feldera_instance="default"' not in text


def test_an_alertmanager_that_goes_leaves_no_metrics(feldera: Feldera, program: ReloadedExporter) -> None:
    """Without `alertmanager:` no alert is counted, and nothing says when an Alertmanager last accepted one."""
    feldera.create("failing", plan=INSTANT)
    feldera.settle()
    feldera.start("failing")
    until(lambda: feldera.settle() and feldera.get("failing").row.status == "Running")
    feldera.inject.crash("failing", "RuntimeError.WorkerPanic")
    until(lambda: feldera.settle() and feldera.get("failing").row.error)
    with serve(FelderaServer(feldera)) as url, serve(AlertmanagerRecorder()) as receiver:
        before = f"instances: [{{name: default, url: '{url}', poll_interval: 1s}}]\n"
        assert program.reload(f"{before}alertmanager: {{urls: ['{receiver}']}}\n").status_code == 200
        sent = 'feldera_exporter_alertmanager_last_success_timestamp_seconds{alertmanager="'
        until(lambda: sent in program.metrics() and _value(program.metrics(), sent) > 0)
        firing = 'feldera_exporter_alerts{state="firing"}'
        until(lambda: _value(program.metrics(), firing) > 0)
        assert program.reload(before).status_code == 200
        assert "{alertmanager=" not in program.metrics()
        assert _value(program.metrics(), firing) == 0


def test_a_mistake_is_reported_at_once(program: ReloadedExporter) -> None:
    """A mistake is reported before the next poll."""
    rare = program.first.replace("poll_interval: 1s", "poll_interval: 1h, staleness: 2h")
    assert rare != program.first
    assert program.reload(rare).status_code == 200
    time.sleep(0.5)
    assert _value(program.metrics(), "feldera_exporter_config_last_reload_successful") == 1
    assert program.reload("instances: []\n").status_code == 500
    assert _value(program.metrics(), "feldera_exporter_config_last_reload_successful") == 0


def test_a_reload_leaves_nothing_behind(feldera: Feldera) -> None:
    """Objects from before the reload are freed, although they are kept out of garbage collection."""
    with serve(FelderaServer(feldera)) as url:
        intervals = iter((0.1, 0.2, 0.3, 0.4))

        def load() -> Configuration:
            interval = next(intervals)
            return Configuration((Instance("one", url, poll_interval=interval, timeout=interval),))

        async def run() -> int:
            watched = Exporter(load, None)
            watched.start()
            gone: list[weakref.ref[Any]] = []
            for _ in range(3):
                await asyncio.sleep(0.5)
                parts = watched.instances["one"]
                gone += [weakref.ref(parts.client), weakref.ref(parts.watcher)]
                del parts
                assert await watched.reload() == ()
            deadline = time.monotonic() + 20
            while any(part() is not None for part in gone) and time.monotonic() < deadline:
                await asyncio.sleep(0.1)
                gc.collect()
            await watched.stop()
            return sum(part() is not None for part in gone)

        try:
            assert asyncio.run(run()) == 0
        finally:
            gc.unfreeze()


def _instance(name: str, url: str, interval: float = 0.2) -> Instance:
    return Instance(name, url, poll_interval=interval, timeout=interval)


def test_what_did_not_change_goes_on(feldera: Feldera) -> None:
    """Polls of an unchanged instance and its connection go on through many reloads."""
    with serve(FelderaServer(feldera)) as url:
        configurations = [
            Configuration((_instance("one", url), _instance("two", url, 0.2 + number / 100)))
            for number in range(2)
        ]
        loads = itertools.cycle(configurations)

        async def run() -> None:
            watched = Exporter(lambda: next(loads), None)
            watched.start()
            try:
                before = dict(watched.instances)
                async with asyncio.timeout(20):
                    while watched.publisher.observed["one"].fleet.size is None:
                        assert await watched.reload() == ()
                        await asyncio.sleep(0.05)
                assert watched.instances["one"] is before["one"]
                assert watched.instances["two"] is not before["two"]
            finally:
                await watched.stop()

        asyncio.run(run())


def test_an_instance_that_changed_keeps_its_freshness(feldera: Feldera) -> None:
    """A first poll that fails after the reload counts as one failure."""
    with serve(FelderaServer(feldera)) as url:
        limits = Limits(MappingProxyType({"Pending": 60.0}))
        loads = iter((Configuration((_instance("one", url, 1.0),)), None))

        def load() -> Configuration:
            found = next(loads)
            return found or Configuration((_instance("one", url, 1.0),), limits=limits)

        async def run() -> None:
            watched = Exporter(load, None)
            watched.start()
            async with asyncio.timeout(20):
                while not watched.publisher.observed["one"].fleet.up:  # noqa: ASYNC110 - it asks from outside
                    await asyncio.sleep(0.05)
            await watched.stop()
            assert await watched.reload() == ()
            await watched.stop()
            watcher = watched.instances["one"].watcher
            await watched.instances["one"].client.close()
            assert not (await watcher.poll())[0]
            assert watched.publisher.observed["one"].fleet.up

        asyncio.run(run())


def test_many_reloads_at_once_are_two(feldera: Feldera) -> None:
    """One reload runs and one follows for all later requests; a cancelled request cancels no other."""
    with serve(FelderaServer(feldera)) as url:
        loads: list[None] = []

        def load() -> Configuration:
            loads.append(None)
            return Configuration((_instance("one", url, 1.0 + len(loads)),))

        async def run() -> None:
            watched = Exporter(load, None)
            watched.start()
            try:
                tasks = [asyncio.create_task(watched.reload()) for _ in range(500)]
                await asyncio.sleep(0)
                tasks[0].cancel()
                done = await asyncio.gather(*tasks, return_exceptions=True)
                assert done[1:] == [()] * 499
            finally:
                await watched.stop()

        asyncio.run(run())
        assert len(loads) <= 3


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://exporter:80"}, 403),
        ({"origin": "null"}, 403),
    ],
)
def test_a_web_page_is_refused(headers: dict[str, str], status: int) -> None:
    """A browser sends the origin of the page with every POST; other programs send none."""
    reloads: list[None] = []
    sent: list[dict[str, Any]] = []

    async def reload() -> tuple[str, ...]:
        reloads.append(None)
        return ()

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(20)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    encoded = [
        (name.encode(), value.encode()) for name, value in {"host": "exporter:10058", **headers}.items()
    ]
    scope = {"method": "POST", "path": "/-/reload", "headers": encoded}
    app = application(Publisher(Telemetry("1", "3")), "/metrics", reload)
    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    assert (sent[0]["status"], len(reloads)) == (status, int(status == 200))
