"""Settings of the C library's allocator, for a process whose threads take turns."""

import ctypes
from contextlib import suppress
from typing import Final

_ARENA_MAX: Final = -8
"""glibc's `M_ARENA_MAX`."""


def share_one_arena() -> None:
    """Make all threads allocate from one arena; to be called before there is a second thread.

    By default each thread of glibc has an arena, which keeps the memory that rendering a large fleet freed: hundreds of
    megabytes in all. The interpreter runs one thread at a time, so that threads hardly wait for the arena. Unlike
    `MALLOC_ARENA_MAX` in the environment, this holds for all ways of installing. Other C libraries need no such call.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
