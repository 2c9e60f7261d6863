"""With a real Alertmanager each notification comes once and ends once, whichever program fails."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from freezegun import freeze_time

from alertmanager import bridges
from alertmanager.bridges import Polls, bridge, stuck
from feldera_exporter.alertmanager.bridge import Bridge
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.server import FelderaServer
from support.alertmanagers import Alertmanager, alertmanager
from support.notifications import REPEATED, AlertChange, NotificationRecord
from support.two_instances import RunningExporter, feldera, running, until

RESEND: Final = 1.5
LEASE: Final = 4 * RESEND


@pytest.fixture
def record() -> NotificationRecord:
    """Return what keeps the notifications."""
    return NotificationRecord()


@pytest.fixture
def real(tmp_path: Path, record: NotificationRecord) -> Iterator[Alertmanager]:
    """Return an Alertmanager that is ready."""
    with alertmanager(tmp_path / "alertmanager", record) as ready:
        until(lambda: ready.ready)
        yield ready


@asynccontextmanager
async def exporters(url: str, count: int = 1) -> AsyncIterator[tuple[Polls, ...]]:
    """Run some exporters of the same instance, as far as they send."""
    async with AsyncExitStack() as stack:
        made = [bridge(url, resend_interval=RESEND, timeout=RESEND) for _ in range(count)]
        for each in made:
            await stack.enter_async_context(bridges.running(each))
        yield tuple(Polls(each) for each in made)


async def meanwhile(seconds: float, *acts: Callable[[], object]) -> None:
    """Do something ten times a second for a while: polls that end."""
    for _ in range(round(10 * seconds)):
        for act in acts:
            act()
        await asyncio.sleep(0.1)


async def wait_for_changes(record: NotificationRecord, count: int, *acts: Callable[[], object]) -> None:
    """Do something ten times a second until so many notifications have come."""
    deadline = time.monotonic() + 60
    while len(record.changes) < count:
        assert time.monotonic() < deadline, record.changes
        await meanwhile(0.1, *acts)


def change(status: str, alert: str = "FelderaPipelineStuckProvisioning", pipeline: str = "a") -> AlertChange:
    """Return what a person learns."""
    return AlertChange("all", alert, "prod", pipeline, status)


def blind(polls: Polls) -> Callable[[], None]:
    """Return what lets a poll of an exporter fail."""
    return lambda: polls.bridge.missed("prod")


def test_a_lease_is_longer_than_it_takes_to_renew(real: Alertmanager, record: NotificationRecord) -> None:
    """A problem that lasts longer than a lease is notified once."""

    async def run() -> None:
        async with exporters(real.url) as (polls,):
            polls.find(stuck("a"))
            await wait_for_changes(record, 1, polls.show)
            await meanwhile(2 * LEASE, polls.show)
            assert record.changes == [change("firing")]
            polls.find()
            await wait_for_changes(record, 2, polls.show)

    asyncio.run(run())
    assert record.changes == [change("firing"), change("resolved")]


def test_two_exporters(real: Alertmanager, record: NotificationRecord) -> None:
    """Two exporters cause each notification once; one that cannot see Feldera neither ends nor begins an alert."""

    async def run() -> None:
        async with exporters(real.url, 2) as (first, second):
            for polls in (first, second):
                polls.find(stuck("a"), stuck("b"))
            await wait_for_changes(record, 2, first.show, second.show)
            await meanwhile(LEASE + 2, first.show, blind(second))
            assert sorted(record.changes) == [change("firing"), change("firing", pipeline="b")]
            # Only the one that sees knows of the end, and of the return.
            first.find(stuck("b"))
            await wait_for_changes(record, 3, first.show, blind(second))
            await meanwhile(LEASE + 2, first.show, blind(second))
            assert record.changes[2:] == [change("resolved")]
            first.find(stuck("a"), stuck("b"))
            await wait_for_changes(record, 4, first.show, blind(second))
            assert record.changes[3:] == [change("firing")]
            # No exporter reaches Feldera: all alerts stay.
            await meanwhile(2 * LEASE, blind(first), blind(second))
            assert len(record.changes) == 4
            # The other one sees, and what it knew is over.
            second.find()
            await wait_for_changes(record, 6, blind(first), second.show)
            assert sorted(record.changes[4:]) == [change("resolved"), change("resolved", pipeline="b")]
            first.find()
            await meanwhile(3, first.show, second.show)

    asyncio.run(run())
    assert len(record.changes) == 6
    assert not [each for each in record.changes if each.status == REPEATED]


def test_an_exporter_that_dies(real: Alertmanager, record: NotificationRecord) -> None:
    """The other exporter goes on sending, and nothing is notified."""

    async def run() -> None:
        async with exporters(real.url) as (lasting,):
            async with exporters(real.url) as (dying,):
                for polls in (lasting, dying):
                    polls.find(stuck("a"))
                await meanwhile(2, lasting.show, dying.show)
            await meanwhile(2 * LEASE, lasting.show)
            assert record.changes == [change("firing")]

    asyncio.run(run())


def test_an_alertmanager_that_forgets(real: Alertmanager, record: NotificationRecord) -> None:
    """A restarted Alertmanager gets all alerts within an interval, also the ends of problems while it was down."""

    async def run() -> None:
        async with exporters(real.url) as (polls,):
            polls.find(stuck("a"), stuck("b"))
            await meanwhile(3, polls.show)
            await asyncio.to_thread(real.stop)
            await meanwhile(1, polls.show)
            polls.find(stuck("b"))
            await meanwhile(LEASE, polls.show)
            real.start()
            until(lambda: real.ready)
            # It is tried again after some seconds: it has not answered for a while.
            for _ in range(100):
                await meanwhile(0.1, polls.show)
                if change("resolved") in record.changes and real.alerts():
                    break
            assert [each["labels"]["pipeline_name"] for each in real.alerts()] == ["b"]
            await meanwhile(2, polls.show)

    asyncio.run(run())
    assert sorted(record.changes) == [change("firing"), change("resolved"), change("firing", pipeline="b")]


@pytest.mark.parametrize("minutes", [-10, 10])
def test_clocks_that_differ(real: Alertmanager, record: NotificationRecord, minutes: int) -> None:
    """With clocks that differ by minutes from Alertmanager's, the lease lasts and the end is notified at once."""

    async def run() -> None:
        with freeze_time(datetime.now(UTC) + timedelta(minutes=minutes), tick=True, real_asyncio=True):  # noqa: TID251 - the clock that is moved
            async with exporters(real.url) as (polls,):
                polls.find(stuck("a"))
                await meanwhile(LEASE + 2, polls.show)
                assert record.changes == [change("firing")]
                assert real.names() == {"FelderaPipelineStuckProvisioning"}
                polls.find()
                await wait_for_changes(record, 2, polls.show)
                assert record.changes == [change("firing"), change("resolved")]
                assert real.names() == set()

    asyncio.run(run())


def test_a_reload_of_the_bridge(real: Alertmanager, record: NotificationRecord) -> None:
    """Repeated reloads, for longer than a lease and also without Feldera, notify nothing again."""

    async def run() -> None:
        made: Bridge | None = None
        polls = None
        for number in range(6):
            made = bridge(real.url, resend_interval=RESEND, timeout=RESEND, before=made)
            async with bridges.running(made):
                if polls is None:
                    polls = Polls(made)
                    polls.find(stuck("a"))
                polls.bridge = made
                await meanwhile(1.5, polls.show if number % 2 == 0 else blind(polls))
        assert record.changes == [change("firing")]

    asyncio.run(run())


CONFIGURATION: Final = """\
instances: [{{name: prod, url: '{api}', poll_interval: 500ms}}]
alertmanager: {{urls: ['{am}'], resend_interval: 5s}}
"""
ERROR: Final = "FelderaPipelineDeploymentError"


def test_restarts_and_reloads_of_the_program(
    real: Alertmanager, record: NotificationRecord, tmp_path: Path
) -> None:
    """The program is killed and started on its store: nothing is notified twice, and ends meanwhile are notified."""
    instance = feldera("lasting", "passing")
    folder = tmp_path / "exporter"
    folder.mkdir()
    change_of = {name: error_change(name) for name in ("lasting", "passing")}
    with serve(FelderaServer(instance)) as api:
        text = CONFIGURATION.format(api=api, am=real.url)
        store = f"--storage.path={folder / 'store'}"

        def fail(program: RunningExporter) -> None:
            for name in change_of:
                until(partial(_is_running, program, name), 30)
                instance.inject.crash(name)
            until(lambda: len(record.changes) == 2)

        # It is not asked to end, so that what `running` expects of the end is not true of it.
        with pytest.raises(AssertionError):
            _killed(folder, text, store, fail)
        assert sorted(record.changes) == [change_of["lasting"]("firing"), change_of["passing"]("firing")]
        instance.start("passing")
        with running(folder, text, store) as program:
            until(lambda: change_of["passing"]("resolved") in record.changes)
            for _ in range(8):
                os.kill(program.process.pid, signal.SIGHUP)
                time.sleep(0.6)
            assert program.log.read_text().count("configuration reloaded") >= 4
            assert real.names() == {ERROR}
        assert len(record.changes) == 3
        instance.start("lasting")
        with running(folder, text, store):
            until(lambda: len(record.changes) == 4)
            time.sleep(2)
        assert record.changes[3:] == [change_of["lasting"]("resolved")]


def _is_running(program: RunningExporter, name: str) -> bool:
    """Return whether a pipeline is shown as running."""
    labels = {"pipeline_name": name, "status": "Running"}
    return program.value("feldera_pipeline_deployment_status", **labels) == 1


def _killed(folder: Path, text: str, store: str, act: Callable[[RunningExporter], object]) -> None:
    """Run the program, do something, and kill it."""
    with running(folder, text, store) as program:
        act(program)
        os.kill(program.process.pid, signal.SIGKILL)
        program.process.wait()


def error_change(pipeline: str) -> Callable[[str], AlertChange]:
    """Return a function from a status to the change of a pipeline's error."""
    return lambda status: change(status, ERROR, pipeline)
