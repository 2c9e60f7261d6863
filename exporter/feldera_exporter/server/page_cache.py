"""Renders pages in one thread, and keeps each for a second."""

import asyncio
import time
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

MAX_AGE: Final = 1.0
"""Seconds for which a page is kept for the next reader."""
_MOST_WAITING: Final = 32
"""Requests that wait at most; to refuse one is better than to keep all readers waiting."""

_THREAD: Final = ThreadPoolExecutor(1, "pages")
"""The thread that renders pages for people: it takes the interpreter from the polls for as long as it works."""


class PageCache:
    """The pages that were rendered within the last second."""

    def __init__(self) -> None:
        self._pages: dict[Hashable, tuple[float, bytes]] = {}
        self._waiting = 0

    async def page(self, key: Hashable, render: Callable[[], bytes]) -> bytes | None:
        """Return a page; None where too many requests wait. A request that is cancelled while it waits costs nothing.

        Args:
            key: what was asked for.
            render: renders the page, in the thread.
        """
        if self._waiting >= _MOST_WAITING:
            return None
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(_THREAD, self._page, key, render)
        finally:
            self._waiting -= 1

    def _page(self, key: Hashable, render: Callable[[], bytes]) -> bytes:
        """Return a page. There is one thread, so that all who wait for the same page get the one of the first."""
        oldest = time.monotonic() - MAX_AGE
        self._pages = {each: page for each, page in self._pages.items() if page[0] > oldest}
        if key not in self._pages:
            body = render()
            self._pages[key] = time.monotonic(), body
        return self._pages[key][1]
