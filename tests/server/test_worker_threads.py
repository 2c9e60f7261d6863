"""Work for readers."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from feldera_exporter.server import page_cache
from feldera_exporter.server.page_cache import PageCache
from feldera_exporter.server.worker_threads import WAITING, BusyError, WorkerThreads


@contextmanager
def blocked() -> Iterator[Callable[[], None]]:
    """Give work that takes until the context ends."""
    go_on = threading.Event()

    def work() -> None:
        go_on.wait(20)

    try:
        yield work
    finally:
        go_on.set()


def test_what_comes_of_it_is_returned() -> None:
    """A result, and an error as it was raised."""

    async def both() -> int:
        threads = WorkerThreads(1)
        with pytest.raises(ValueError, match="no number"):
            await threads.do(int, "no number")
        return await threads.do(int, "17")

    assert asyncio.run(both()) == 17


def test_the_end_does_not_wait() -> None:
    """Whoever asked is gone, the loop is closed, and what comes of it later harms nobody."""
    go_on, ended = threading.Event(), threading.Event()

    def work() -> None:
        go_on.wait(60)
        ended.set()

    async def asked() -> None:
        task = asyncio.create_task(WorkerThreads(1).do(work))
        await asyncio.sleep(0.1)
        task.cancel()

    began = time.monotonic()
    asyncio.run(asked())
    assert time.monotonic() - began < 30
    assert not ended.is_set()
    go_on.set()
    assert ended.wait(30)


def test_the_threads_are_few_and_stay() -> None:
    """The same ones do all the work."""

    async def crowd() -> set[int]:
        threads = WorkerThreads(2)
        done = [await asyncio.gather(*(threads.do(threading.get_ident) for _ in range(20))) for _ in range(5)]
        return {each for some in done for each in some}

    assert len(asyncio.run(crowd())) <= 2


def test_what_has_no_reader_any_more_is_not_begun() -> None:
    """Of those who went away before their turn, nothing is done."""
    done: list[str] = []

    async def crowd() -> None:
        threads = WorkerThreads(1)
        with blocked() as work:
            first = asyncio.create_task(threads.do(work))
            left = [asyncio.create_task(threads.do(done.append, "left")) for _ in range(20)]
            await asyncio.sleep(0)
            for task in left:
                task.cancel()
            last = asyncio.create_task(threads.do(done.append, "stayed"))
            await asyncio.sleep(0)
        await asyncio.gather(first, last)

    asyncio.run(crowd())
    assert done == ["stayed"]


def test_too_many_are_refused() -> None:
    """At once; and there is room again when some have gone."""

    async def crowd() -> None:
        threads = WorkerThreads(1)
        with blocked() as work:
            tasks = [asyncio.create_task(threads.do(work)) for _ in range(WAITING)]
            await asyncio.sleep(0)
            with pytest.raises(BusyError):
                await threads.do(int)
            tasks[-1].cancel()
            await asyncio.sleep(0)
            tasks.append(asyncio.create_task(threads.do(work)))
            await asyncio.sleep(0)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert await threads.do(int) == 0

    asyncio.run(crowd())


def page(text: str, rendered: list[str]) -> Callable[[], bytes]:
    """Return what renders a page, and notes it."""

    def render() -> bytes:
        rendered.append(text)
        return text.encode()

    return render


def test_a_page_is_rendered_once_in_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask for it; another one is another page, and after a second it is rendered again."""
    rendered: list[str] = []

    async def crowd() -> None:
        cache = PageCache(WorkerThreads(1))
        asked = [cache.page(text, page(text, rendered)) for text in "aabab"]
        assert await asyncio.gather(*asked) == [b"a", b"a", b"b", b"a", b"b"]
        assert await cache.page("a", page("a", rendered)) == b"a"
        assert sorted(rendered) == ["a", "b"]
        monkeypatch.setattr(page_cache, "KEPT", 0.0)
        await cache.page("c", page("c", rendered))
        await cache.page("c", page("c", rendered))
        assert rendered.count("c") == 2
        await asyncio.sleep(1.1)
        assert not cache._renderings

    asyncio.run(crowd())


def test_a_page_whose_readers_have_gone() -> None:
    """It is rendered as long as one of them stays, and else not; one that failed is not kept."""
    rendered: list[str] = []

    async def crowd() -> None:
        threads = WorkerThreads(1)
        cache = PageCache(threads)
        with blocked() as work:
            first = asyncio.create_task(threads.do(work))
            keys = ("left", "left", "stayed", "stayed")
            tasks = [asyncio.create_task(cache.page(key, page(key, rendered))) for key in keys]
            await asyncio.sleep(0)
            for task in tasks[:3]:
                task.cancel()
            await asyncio.sleep(0)
        await asyncio.gather(first, *tasks, return_exceptions=True)
        assert rendered == ["stayed"]
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                await cache.page("bad", lambda: b"x" * (1 // 0))

    asyncio.run(crowd())
