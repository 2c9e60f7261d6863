"""Work in threads, alone and by a watcher of a long list."""

import asyncio
import gc
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from feldera_exporter.errors import StoreError
from feldera_exporter.feldera import event_log
from feldera_exporter.feldera.platform import Platform
from feldera_exporter.feldera.wire import Event
from feldera_exporter.history.answer_evaluation import Evaluation
from feldera_exporter.ledger import Ledger
from feldera_exporter.polling import watcher
from feldera_exporter.polling.run_in_thread import run_cpu, run_io
from feldera_exporter.simulator.plan import Failure
from feldera_exporter.store.poll_changes import PollChanges
from feldera_exporter.store.store import Store
from polling.test_log_reader import SimulatedWatcher, a_watcher, within


@pytest.mark.parametrize("aside", [run_io, run_cpu])
def test_the_loop_goes_on(aside: Any) -> None:
    """The loop goes on meanwhile, and the result or the error is passed on."""

    async def run() -> None:
        free = threading.Event()
        asyncio.get_running_loop().call_later(0.05, free.set)
        assert await aside(free.wait, timeout=5)
        with pytest.raises(ZeroDivisionError):
            await aside(divmod, 1, 0)

    asyncio.run(run())


@pytest.mark.parametrize("aside", [run_io, run_cpu])
def test_a_cancelled_call_waits_for_its_thread(aside: Any) -> None:
    """A cancelled call ends when its thread has ended."""
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
    """The objects of an error are freed with it, without the garbage collector."""

    class HugeBody:
        """Stands for a body of many megabytes."""

    def work(body: HugeBody) -> None:
        raise ValueError(f"{body} is no list")

    async def run() -> None:
        body = HugeBody()
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


class ThreadRecorder:
    """Records the threads of a watcher's work, and does something else meanwhile."""

    def __init__(
        self,
        simulated: SimulatedWatcher,
        patch: pytest.MonkeyPatch,
        meanwhile: Callable[[SimulatedWatcher], None],
    ) -> None:
        self.threads: dict[str, set[str]] = {}
        for owner, name in (
            *((watcher, name) for name in ("read", "select", "observed")),
            (Ledger, "observe_list"),
            *((Store, name) for name in ("recall", "commit")),
        ):
            patch.setattr(owner, name, self._noted(name, getattr(owner, name), simulated, meanwhile))

    def _noted(
        self,
        name: str,
        true: Callable[..., Any],
        simulated: SimulatedWatcher,
        meanwhile: Callable[[SimulatedWatcher], None],
    ) -> Callable[..., Any]:
        def noted(*arguments: Any, **more: Any) -> Any:
            self.threads.setdefault(name, set()).add(threading.current_thread().name.rstrip("_0123456789"))
            meanwhile(simulated)
            return true(*arguments, **more)

        return noted


MAIN, FILING, THINKING = "MainThread", "file", "cpu"


@pytest.mark.parametrize("long", [False, True])
def test_a_long_list_is_worked_at_in_threads(
    long: bool,  # noqa: FBT001 - a table's column
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A short list is processed without threads except for its file; the results are equal."""
    store = Store.open(tmp_path)

    def meanwhile(simulated: SimulatedWatcher) -> None:
        simulated.watcher.set_platform(Platform(tenant="acme"))

    with a_watcher(store=store) as simulated:
        if long:
            monkeypatch.setattr(watcher, "LONG", 0)
        threads = ThreadRecorder(simulated, monkeypatch, meanwhile)

        async def scenario() -> None:
            await simulated.settle()
            simulated.feldera.pause("p0")
            simulated.feldera.create("fresh")
            simulated.clock.advance(5)
            await simulated.settle()
            assert simulated.entries("p0", "Paused") == 1
            assert simulated.watcher.fleet.platform == Platform(tenant="acme")
            assert len(simulated.watcher.fleet.pipelines) == 4

        within(simulated, scenario)
    store.close()
    thinking_ = THINKING if long else MAIN
    assert threads.threads == {
        **{name: {thinking_} for name in ("read", "select", "observed", "observe_list")},
        **{name: {FILING} for name in ("recall", "commit")},
    }


@pytest.mark.parametrize("long", [False, True])
def test_a_poll_that_is_cancelled_loses_nothing(
    long: bool,  # noqa: FBT001 - a table's column
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a cancelled poll, as by a reload, the changes of the ledger are stored with the next one."""
    store = Store.open(tmp_path)
    commit, reached = Store.commit, threading.Event()

    def slow(_store: Store, _changes: PollChanges) -> None:
        reached.set()
        time.sleep(0.2)
        raise StoreError("a full disk")

    with a_watcher(store=store) as simulated:
        if long:
            monkeypatch.setattr(watcher, "LONG", 0)

        async def scenario() -> None:
            monkeypatch.setattr(Store, "commit", slow)
            task = asyncio.create_task(simulated.watcher.poll())
            await asyncio.to_thread(reached.wait, 5)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not store.load("default").histories
            monkeypatch.setattr(Store, "commit", commit)
            await simulated.settle()
            assert len(store.load("default").histories) == 3

        within(simulated, scenario)
    store.close()


def test_a_long_log_is_folded_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long log is folded in a thread, so that the loop goes on; a short one is not."""
    folded: list[tuple[int, bool]] = []
    evaluate = Ledger.evaluate

    def evaluated(ledger: Ledger, pipeline_id: str, log: Sequence[Event]) -> Evaluation:
        in_thread = threading.current_thread() is not threading.main_thread()
        folded.append((len(log), in_thread))
        return evaluate(ledger, pipeline_id, log)

    monkeypatch.setattr(Ledger, "evaluate", evaluated)
    with a_watcher(size=2) as simulated:

        async def scenario() -> None:
            await simulated.settle()
            for _ in range(120):
                simulated.feldera.pause("p0")
                simulated.clock.advance(20)
                simulated.feldera.start("p0")
                simulated.clock.advance(20)
            simulated.feldera.pause("p1")
            simulated.clock.advance(20)
            await simulated.settle()

        within(simulated, scenario)
    assert {in_thread for events, in_thread in folded if events >= 100} == {True}
    assert {in_thread for events, in_thread in folded if events < 100} == {False}


@pytest.mark.parametrize(("length", "in_thread"), [(10, False), (100_000, True)])
def test_a_long_event_is_decoded_in_a_thread(
    length: int,
    in_thread: bool,  # noqa: FBT001 - a table's column
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The event of an error may have megabytes, so that the loop goes on meanwhile; a short one is not worth a thread."""
    decoded: list[bool] = []
    error_code = event_log.error_code

    def noted(body: bytes) -> str | None:
        decoded.append(threading.current_thread() is not threading.main_thread())
        return error_code(body)

    monkeypatch.setattr(event_log, "error_code", noted)
    with a_watcher() as simulated:

        async def scenario() -> None:
            await simulated.settle()
            simulated.feldera.inject.crash("p0", Failure("RuntimeError.WorkerPanic", "m" * length, {}))
            simulated.clock.advance(30)
            simulated.feldera.dismiss_error("p0")
            simulated.clock.advance(1)
            await simulated.settle()
            assert simulated.errors == {"RuntimeError.WorkerPanic": 1}

        within(simulated, scenario)
    assert decoded == [in_thread]
