"""The allocator of the C library, set for a process whose threads take turns."""

import ctypes
from contextlib import suppress
from typing import Final

_ARENA_MAX: Final = -8
"""glibc's `M_ARENA_MAX`."""


def share_one_arena() -> None:
    """Let all threads allocate from one arena, before there is a second thread.

    By default glibc gives each thread an arena, and each keeps what a rendering of a large fleet freed: hundreds of
    megabytes in all. The interpreter runs one thread at a time, so they hardly wait for each other. Set here and not by
    `MALLOC_ARENA_MAX`, it holds for every way of installing. Another C library has no such call, and needs none.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
