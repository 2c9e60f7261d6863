"""Rendered pages, each kept for a second: however many ask for the same one, it is rendered once."""

import asyncio
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

from feldera_exporter.server.worker_threads import WorkerThreads

KEPT: Final = 1.0
"""Seconds for which a page is shown again."""


@dataclass(slots=True)
class _Rendering:
    """A page that is rendered or was.

    Attributes:
        page: the page, once it is rendered.
        readers: how many wait for it.
        until: when it is too old to be shown again, monotonic seconds; None while it is being rendered.
    """

    page: asyncio.Task[bytes]
    readers: int = 0
    until: float | None = None


class PageCache:
    """The pages of the last second.

    Args:
        threads: render them.
    """

    def __init__(self, threads: WorkerThreads) -> None:
        self._threads = threads
        self._renderings: dict[Hashable, _Rendering] = {}

    async def page(self, key: Hashable, render: Callable[[], bytes]) -> bytes:
        """Return a page; one whose readers have all gone before it was begun is not rendered.

        Args:
            key: all that the page depends on, but for the present time.
            render: makes it, in a thread.

        Raises:
            BusyError: too many pages wait already.
        """
        rendering = self._renderings.get(key)
        if rendering is None or (rendering.until is not None and rendering.until <= time.monotonic()):
            rendering = self._renderings[key] = _Rendering(asyncio.create_task(self._threads.do(render)))
            rendering.page.add_done_callback(lambda _: self._rendered(key, rendering))
        rendering.readers += 1
        try:
            return await asyncio.shield(rendering.page)
        finally:
            rendering.readers -= 1
            if not rendering.readers and not rendering.page.done():
                rendering.page.cancel()
                self._forget(key, rendering)

    def _rendered(self, key: Hashable, rendering: _Rendering) -> None:
        if rendering.page.cancelled() or rendering.page.exception() is not None:
            self._forget(key, rendering)
            return
        rendering.until = time.monotonic() + KEPT
        asyncio.get_running_loop().call_later(KEPT, self._forget, key, rendering)

    def _forget(self, key: Hashable, rendering: _Rendering) -> None:
        if self._renderings.get(key) is rendering:
            del self._renderings[key]
