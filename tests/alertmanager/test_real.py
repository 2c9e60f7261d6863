"""With a real Alertmanager: each notification comes once and ends once, whatever happens to whom."""

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
from feldera_exporter.simulator.server import FelderaServer
from feldera_exporter.simulator.serving import serve
from support.alertmanagers import Alertmanager, alertmanager
from support.notifications import REPEATED, News, Notebook
from support.two_instances import Running, feldera, running, until

RESEND: Final = 1.5
LEASE: Final = 4 * RESEND


@pytest.fixture
def notebook() -> Notebook:
    """Return what keeps the notifications."""
    return Notebook()


@pytest.fixture
def real(tmp_path: Path, notebook: Notebook) -> Iterator[Alertmanager]:
    """Return an Alertmanager that is ready."""
    with alertmanager(tmp_path / "alertmanager", notebook) as ready:
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


async def heard(notebook: Notebook, count: int, *acts: Callable[[], object]) -> None:
    """Do something ten times a second until so many notifications have come."""
    deadline = time.monotonic() + 60
    while len(notebook.news) < count:
        assert time.monotonic() < deadline, notebook.news
        await meanwhile(0.1, *acts)


def news(status: str, alert: str = "FelderaPipelineStuckProvisioning", pipeline: str = "a") -> News:
    """Return what a person learns."""
    return News("all", alert, "prod", pipeline, status)


def blind(polls: Polls) -> Callable[[], None]:
    """Return what lets a poll of an exporter fail."""
    return lambda: polls.bridge.missed("prod")


def test_a_lease_is_longer_than_it_takes_to_renew(real: Alertmanager, notebook: Notebook) -> None:
    """A problem that lasts longer than a lease is notified once."""

    async def run() -> None:
        async with exporters(real.url) as (polls,):
            polls.find(stuck("a"))
            await heard(notebook, 1, polls.show)
            await meanwhile(2 * LEASE, polls.show)
            assert notebook.news == [news("firing")]
            polls.find()
            await heard(notebook, 2, polls.show)

    asyncio.run(run())
    assert notebook.news == [news("firing"), news("resolved")]


def test_two_exporters(real: Alertmanager, notebook: Notebook) -> None:
    """Each notification once; the one that goes blind neither ends nor revives anything, whichever it is."""

    async def run() -> None:
        async with exporters(real.url, 2) as (one, other):
            for polls in (one, other):
                polls.find(stuck("a"), stuck("b"))
            await heard(notebook, 2, one.show, other.show)
            await meanwhile(LEASE + 2, one.show, blind(other))
            assert sorted(notebook.news) == [news("firing"), news("firing", pipeline="b")]
            # Only the one that sees knows of the end, and of the return.
            one.find(stuck("b"))
            await heard(notebook, 3, one.show, blind(other))
            await meanwhile(LEASE + 2, one.show, blind(other))
            assert notebook.news[2:] == [news("resolved")]
            one.find(stuck("a"), stuck("b"))
            await heard(notebook, 4, one.show, blind(other))
            assert notebook.news[3:] == [news("firing")]
            # No exporter reaches Feldera: all alerts stay.
            await meanwhile(2 * LEASE, blind(one), blind(other))
            assert len(notebook.news) == 4
            # The other one sees, and what it knew is over.
            other.find()
            await heard(notebook, 6, blind(one), other.show)
            assert sorted(notebook.news[4:]) == [news("resolved"), news("resolved", pipeline="b")]
            one.find()
            await meanwhile(3, one.show, other.show)

    asyncio.run(run())
    assert len(notebook.news) == 6
    assert not [each for each in notebook.news if each.status == REPEATED]


def test_an_exporter_that_dies(real: Alertmanager, notebook: Notebook) -> None:
    """The other exporter goes on sending, and there is no notification."""

    async def run() -> None:
        async with exporters(real.url) as (lasting,):
            async with exporters(real.url) as (dying,):
                for polls in (lasting, dying):
                    polls.find(stuck("a"))
                await meanwhile(2, lasting.show, dying.show)
            await meanwhile(2 * LEASE, lasting.show)
            assert notebook.news == [news("firing")]

    asyncio.run(run())


def test_an_alertmanager_that_forgets(real: Alertmanager, notebook: Notebook) -> None:
    """After a restart it knows everything within an interval; problems that ended while it was down are notified too."""

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
                if news("resolved") in notebook.news and real.alerts():
                    break
            assert [each["labels"]["pipeline_name"] for each in real.alerts()] == ["b"]
            await meanwhile(2, polls.show)

    asyncio.run(run())
    assert sorted(notebook.news) == [news("firing"), news("resolved"), news("firing", pipeline="b")]


@pytest.mark.parametrize("minutes", [-10, 10])
def test_clocks_that_differ(real: Alertmanager, notebook: Notebook, minutes: int) -> None:
    """The exporter's clock, and Feldera's, is minutes away from Alertmanager's: the lease lasts, the end is notified at once."""

    async def run() -> None:
        with freeze_time(datetime.now(UTC) + timedelta(minutes=minutes), tick=True, real_asyncio=True):  # noqa: TID251 - the clock that is moved
            async with exporters(real.url) as (polls,):
                polls.find(stuck("a"))
                await meanwhile(LEASE + 2, polls.show)
                assert notebook.news == [news("firing")]
                assert real.names() == {"FelderaPipelineStuckProvisioning"}
                polls.find()
                await heard(notebook, 2, polls.show)
                assert notebook.news == [news("firing"), news("resolved")]
                assert real.names() == set()

    asyncio.run(run())


def test_a_reload_of_the_bridge(real: Alertmanager, notebook: Notebook) -> None:
    """Again and again, for longer than a lease, also while Feldera cannot be seen."""

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
        assert notebook.news == [news("firing")]

    asyncio.run(run())


CONFIGURATION: Final = """\
instances: [{{name: prod, url: '{api}', poll_interval: 500ms}}]
alertmanager: {{urls: ['{am}'], resend_interval: 5s}}
"""
ERROR: Final = "FelderaPipelineDeploymentError"


def test_restarts_and_reloads_of_the_program(real: Alertmanager, notebook: Notebook, tmp_path: Path) -> None:
    """Killed at once and started on its store: nothing is notified twice, and problems that ended meanwhile are notified at the start."""
    instance = feldera("lasting", "passing")
    folder = tmp_path / "exporter"
    folder.mkdir()
    news_of = {name: partial_news(name) for name in ("lasting", "passing")}
    with serve(FelderaServer(instance)) as api:
        text = CONFIGURATION.format(api=api, am=real.url)
        store = f"--storage.path={folder / 'store'}"

        def fail(program: Running) -> None:
            for name in news_of:
                until(partial(_is_running, program, name), 30)
                instance.inject.crash(name)
            until(lambda: len(notebook.news) == 2)

        # It is not asked to end, so that what `running` expects of the end is not true of it.
        with pytest.raises(AssertionError):
            _killed(folder, text, store, fail)
        assert sorted(notebook.news) == [news_of["lasting"]("firing"), news_of["passing"]("firing")]
        instance.start("passing")
        with running(folder, text, store) as program:
            until(lambda: news_of["passing"]("resolved") in notebook.news)
            for _ in range(8):
                os.kill(program.process.pid, signal.SIGHUP)
                time.sleep(0.6)
            assert program.log.read_text().count("configuration reloaded") >= 4
            assert real.names() == {ERROR}
        assert len(notebook.news) == 3
        instance.start("lasting")
        with running(folder, text, store):
            until(lambda: len(notebook.news) == 4)
            time.sleep(2)
        assert notebook.news[3:] == [news_of["lasting"]("resolved")]


def _is_running(program: Running, name: str) -> bool:
    """Return whether a pipeline is shown as running."""
    labels = {"pipeline_name": name, "status": "Running"}
    return program.value("feldera_pipeline_deployment_status", **labels) == 1


def _killed(folder: Path, text: str, store: str, act: Callable[[Running], object]) -> None:
    """Run the program, do something, and kill it."""
    with running(folder, text, store) as program:
        act(program)
        os.kill(program.process.pid, signal.SIGKILL)
        program.process.wait()


def partial_news(pipeline: str) -> Callable[[str], News]:
    """Return what tells the news of a pipeline's error."""
    return lambda status: news(status, ERROR, pipeline)
