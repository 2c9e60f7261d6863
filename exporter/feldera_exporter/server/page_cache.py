"""Renders pages in one thread: once for all who ask for the same page, and not if all of them have gone away."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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
class _Page:
    """A page, the values that it shows, how many wait for it, and what drops it, None until it is rendered."""

    body: asyncio.Future[bytes]
    shown: Sequence[object]
    readers: int = 0
    dropping: asyncio.TimerHandle | None = None


class PageCache:
    """The pages that are being rendered, and the newest of those that were within the last second."""

    def __init__(self) -> None:
        self._pages: dict[Hashable, _Page] = {}

    async def page(self, key: Hashable, shown: Sequence[object], render: Callable[[], bytes]) -> bytes | None:
        """Return a page; None where too many others wait. A request that is cancelled while it waits costs nothing.

        Args:
            key: what was asked for.
            shown: the values that the page shows: one that was rendered with other values is not used.
            render: renders the page, in the thread.
        """
        # The page holds the values, so that no other ones have their identities.
        key = (key, *map(id, shown))
        page = self._pages.get(key)
        if page is None:
            if sum(not each.body.done() for each in self._pages.values()) >= _MOST_WAITING:
                return None
            body = asyncio.get_running_loop().run_in_executor(_THREAD, render)
            page = self._pages[key] = _Page(body, shown)
            body.add_done_callback(lambda _: self._rendered(key, page))
        page.readers += 1
        try:
            return await asyncio.shield(page.body)
        finally:
            page.readers -= 1
            if not page.readers and page.body.cancel():
                del self._pages[key]

    def _rendered(self, key: Hashable, page: _Page) -> None:
        if page.body.cancelled():
            return
        if page.body.exception() is not None:
            del self._pages[key]
            return
        page.dropping = asyncio.get_running_loop().call_later(MAX_AGE, self._pages.pop, key)
        # The thread renders them in this order.
        kept = [(each, other.dropping) for each, other in self._pages.items() if other.dropping is not None]
        for each, dropping in kept[:-_MOST_KEPT]:
            dropping.cancel()
            del self._pages[each]
