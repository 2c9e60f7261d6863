"""Renders pages in one thread: once for all who ask for the same page, and not if all of them have gone away."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from operator import is_
from typing import Final

MAX_AGE: Final = 1.0
"""Seconds for which a page is kept for the next reader."""
_MOST_KEPT: Final = 4
"""Pages that are kept at most: with thousands of pipelines each has megabytes."""
_MOST_WAITING: Final = 32
"""Pages that are being rendered or wait for it at most; to refuse one is better than to keep all readers waiting."""

_THREAD: Final = ThreadPoolExecutor(1, "pages")
"""The thread that renders pages for people: it takes the interpreter from the polls for as long as it works."""


@dataclass(slots=True, eq=False)
class _Rendering:
    """A page that waits to be rendered, is being rendered, or was.

    Attributes:
        shown: the values that it shows.
        work: the work of the thread.
        result: its result in the event loop.
        readers: how many wait for it.
    """

    shown: Sequence[object]
    work: Future[bytes]
    result: asyncio.Future[bytes]
    readers: int = 0

    def shows(self, shown: Sequence[object]) -> bool:
        """Return whether it shows just these values."""
        return len(shown) == len(self.shown) and all(map(is_, shown, self.shown))


class SharedRenderings:
    """The pages that are being rendered, and those that were within the last second."""

    def __init__(self) -> None:
        self._renderings: dict[Hashable, _Rendering] = {}

    async def page(self, key: Hashable, shown: Sequence[object], render: Callable[[], bytes]) -> bytes | None:
        """Return a page; None where too many others wait.

        A reader who is cancelled takes the page from no other. What all its readers have left is not rendered, unless that
        has begun.

        Args:
            key: what was asked for.
            shown: the values that the page shows: one that was rendered with other values is not used.
            render: renders the page, in a thread.
        """
        rendering = self._renderings.get(key)
        if rendering is None or (rendering.result.done() and not rendering.shows(shown)):
            if sum(not each.result.done() for each in self._renderings.values()) >= _MOST_WAITING:
                return None
            rendering = self._begin(key, shown, render)
        rendering.readers += 1
        try:
            return await asyncio.shield(rendering.result)
        finally:
            rendering.readers -= 1
            if not rendering.readers and rendering.work.cancel():
                self._remove(key, rendering)

    def _begin(self, key: Hashable, shown: Sequence[object], render: Callable[[], bytes]) -> _Rendering:
        work = _THREAD.submit(render)
        rendering = self._renderings[key] = _Rendering(shown, work, asyncio.wrap_future(work))
        rendering.result.add_done_callback(lambda _: self._end(key, rendering))
        return rendering

    def _end(self, key: Hashable, rendering: _Rendering) -> None:
        """Keep a page that was rendered for a while, and the others that were rendered last."""
        failed = rendering.result.cancelled() or rendering.result.exception() is not None
        if not self._remove(key, rendering) or failed:
            return
        self._renderings[key] = rendering
        kept = [each for each, other in self._renderings.items() if other.result.done()]
        if len(kept) > _MOST_KEPT:
            del self._renderings[kept[0]]
        asyncio.get_running_loop().call_later(MAX_AGE, self._remove, key, rendering)

    def _remove(self, key: Hashable, rendering: _Rendering) -> bool:
        """Remove a page, and return whether it was there; another one may have taken its place."""
        if self._renderings.get(key) is not rendering:
            return False
        del self._renderings[key]
        return True
