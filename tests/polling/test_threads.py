"""What is done in threads, by itself and by a watcher of a long list."""

import asyncio
import gc
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from feldera_exporter.feldera.event_log import EventLog
from feldera_exporter.feldera.platform import Platform
from feldera_exporter.history.evaluation import Evaluation
from feldera_exporter.ledger import Ledger
from feldera_exporter.polling import watcher
from feldera_exporter.polling.threads import run_cpu, run_io
from feldera_exporter.store.store import Store
from polling.test_log_reader import Room, a_room, within


@pytest.mark.parametrize("aside", [run_io, run_cpu])
def test_the_loop_goes_on(aside: Any) -> None:
    """What comes of it comes back, a result or an error."""

    async def run() -> None:
        free = threading.Event()
        asyncio.get_running_loop().call_later(0.05, free.set)
        assert await aside(free.wait, timeout=5)
        with pytest.raises(ZeroDivisionError):
            await aside(divmod, 1, 0)

    asyncio.run(run())


@pytest.mark.parametrize("aside", [run_io, run_cpu])
def test_nobody_goes_on_before_its_end(aside: Any) -> None:
    """Who is cancelled has ended when the work has."""
    free, done = threading.Event(), threading.Event()

    def work() -> None:
        free.wait(5)
        done.set()

    async def run() -> None:
        task = asyncio.create_task(aside(work))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.sleep(0.05)
        assert not task.done()
        free.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert done.is_set()

    asyncio.run(run())


@pytest.mark.parametrize("aside", [run_io, run_cpu])
def test_an_error_keeps_nothing_alive(aside: Any) -> None:
    """What it was about is freed with it, without a search for cycles."""

    class List:
        """Stands for a body of many megabytes."""

    def work(body: List) -> None:
        raise ValueError(f"{body} is no list")

    async def run() -> None:
        body = List()
        alive = weakref.ref(body)
        try:
            await aside(work, body)
        except ValueError:
            del body
        await asyncio.sleep(0.05)
        assert alive() is None

    gc.disable()
    try:
        asyncio.run(run())
    finally:
        gc.enable()


class Watching:
    """Notes in which threads a watcher's work is done, and does something else meanwhile."""

    def __init__(self, room: Room, patch: pytest.MonkeyPatch, meanwhile: Callable[[Room], None]) -> None:
        self.threads: dict[str, set[str]] = {}
        for owner, name in (
            *((watcher, name) for name in ("read", "select", "observed")),
            *((Ledger, name) for name in ("observe_list", "changes")),
            *((Store, name) for name in ("recall", "commit")),
        ):
            patch.setattr(owner, name, self._noted(name, getattr(owner, name), room, meanwhile))

    def _noted(
        self, name: str, true: Callable[..., Any], room: Room, meanwhile: Callable[[Room], None]
    ) -> Callable[..., Any]:
        def noted(*arguments: Any, **more: Any) -> Any:
            self.threads.setdefault(name, set()).add(threading.current_thread().name.rstrip("_0123456789"))
            meanwhile(room)
            return true(*arguments, **more)

        return noted


MAIN, FILING, THINKING = "MainThread", "file", "cpu"


@pytest.mark.parametrize("long", [False, True])
def test_a_long_list_is_worked_at_in_threads(
    long: bool,  # noqa: FBT001 - a table's column
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A short one costs no change of threads but for its file; what is counted and shown is the same."""
    store = Store.open(tmp_path)

    def meanwhile(room: Room) -> None:
        room.watcher.set_platform(Platform(tenant="acme"))

    with a_room(store=store) as room:
        if long:
            monkeypatch.setattr(watcher, "LONG", 0)
        watching = Watching(room, monkeypatch, meanwhile)

        async def scenario() -> None:
            await room.settle()
            room.feldera.pause("p0")
            room.feldera.create("fresh")
            room.clock.advance(5)
            await room.settle()
            assert room.entries("p0", "Paused") == 1
            assert room.watcher.fleet.platform == Platform(tenant="acme")
            assert len(room.watcher.fleet.pipelines) == 4

        within(room, scenario)
    store.close()
    thinking_ = THINKING if long else MAIN
    assert watching.threads == {
        **{name: {thinking_} for name in ("read", "select", "observed", "observe_list")},
        **{name: {FILING} for name in ("recall", "changes", "commit")},
    }


@pytest.mark.parametrize("long", [False, True])
def test_a_poll_that_is_cancelled_loses_nothing(
    long: bool,  # noqa: FBT001 - a table's column
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As by a reload: the changes of the ledger are in the store."""
    store = Store.open(tmp_path)
    changes, reached = Ledger.changes, threading.Event()

    def slow(ledger: Ledger) -> Any:
        found = changes(ledger)
        reached.set()
        time.sleep(0.2)
        return found

    with a_room(store=store) as room:
        if long:
            monkeypatch.setattr(watcher, "LONG", 0)

        async def scenario() -> None:
            monkeypatch.setattr(Ledger, "changes", slow)
            task = asyncio.create_task(room.watcher.poll())
            await asyncio.to_thread(reached.wait, 5)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            monkeypatch.setattr(Ledger, "changes", changes)
            await room.settle()
            assert len(store.load("default").histories) == 3

        within(room, scenario)
    store.close()


def test_a_long_log_is_folded_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the loop goes on, however long that takes; a short one is not worth it."""
    folded: list[tuple[int, bool]] = []
    evaluate = Ledger.evaluate

    def evaluated(ledger: Ledger, pipeline_id: str, log: EventLog) -> Evaluation:
        in_thread = threading.current_thread() is not threading.main_thread()
        folded.append((len(log.events), in_thread))
        return evaluate(ledger, pipeline_id, log)

    monkeypatch.setattr(Ledger, "evaluate", evaluated)
    with a_room(size=2) as room:

        async def scenario() -> None:
            await room.settle()
            for _ in range(120):
                room.feldera.pause("p0")
                room.clock.advance(20)
                room.feldera.start("p0")
                room.clock.advance(20)
            room.feldera.pause("p1")
            room.clock.advance(20)
            await room.settle()

        within(room, scenario)
    assert {in_thread for events, in_thread in folded if events >= 100} == {True}
    assert {in_thread for events, in_thread in folded if events < 100} == {False}
