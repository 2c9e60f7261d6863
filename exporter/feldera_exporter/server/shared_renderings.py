"""Renders pages in one thread: once for all who ask for the same page, and not if all of them have gone away."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """A page that was rendered.

    Attributes:
        shown: the values that it shows.
        body: its bytes.
    """

    shown: Sequence[object]
    body: bytes

    def shows(self, shown: Sequence[object]) -> bool:
        """Return whether it shows just these values."""
        return len(shown) == len(self.shown) and all(map(is_, shown, self.shown))


@dataclass(slots=True, eq=False)
class _Rendering:
    """A page that is being rendered or waits for it.

    Attributes:
        work: the work of the thread.
        result: its result in the event loop.
        readers: how many wait for it.
    """

    work: Future[bytes]
    result: asyncio.Future[bytes] = field(init=False)
    readers: int = 0

    def __post_init__(self) -> None:
        self.result = asyncio.wrap_future(self.work)


class SharedRenderings:
    """The pages that are being rendered, and those that were within the last second."""

    def __init__(self) -> None:
        self._renderings: dict[Hashable, _Rendering] = {}
        self._kept: dict[Hashable, _Kept] = {}

    async def page(self, key: Hashable, shown: Sequence[object], render: Callable[[], bytes]) -> bytes | None:
        """Return a page; None where too many others wait.

        A reader who is cancelled takes the page from no other. What all its readers have left is not rendered, unless that
        has begun.

        Args:
            key: what was asked for.
            shown: the values that the page shows: a kept page of other values is not used.
            render: renders the page, in a thread.
        """
        kept = self._kept.get(key)
        if kept is not None and kept.shows(shown):
            return kept.body
        rendering = self._renderings.get(key)
        if rendering is None:
            if len(self._renderings) >= _MOST_WAITING:
                return None
            rendering = self._renderings[key] = _Rendering(_THREAD.submit(render))
            begun = rendering
            rendering.result.add_done_callback(lambda _: self._end(key, begun, shown))
        rendering.readers += 1
        try:
            return await asyncio.shield(rendering.result)
        finally:
            rendering.readers -= 1
            if not rendering.readers and rendering.work.cancel():
                self._remove(key, rendering)

    def _end(self, key: Hashable, rendering: _Rendering, shown: Sequence[object]) -> None:
        """Keep a page that was rendered for a while."""
        self._remove(key, rendering)
        if rendering.result.cancelled() or rendering.result.exception() is not None:
            return
        kept = _Kept(shown, rendering.result.result())
        # Put at the end, behind those that are older.
        self._kept.pop(key, None)
        self._kept[key] = kept
        if len(self._kept) > _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        asyncio.get_running_loop().call_later(MAX_AGE, self._forget, key, kept)

    def _remove(self, key: Hashable, rendering: _Rendering) -> None:
        # After it was cancelled, the next one may be waiting under the same key.
        if self._renderings.get(key) is rendering:
            del self._renderings[key]

    def _forget(self, key: Hashable, kept: _Kept) -> None:
        if self._kept.get(key) is kept:
            del self._kept[key]
