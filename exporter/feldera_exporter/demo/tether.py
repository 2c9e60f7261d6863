"""Starts a program that ends with whoever started it, even if that is killed: `tether.py PARENT PROGRAM ARGUMENT…`.

On Linux the kernel ends it; elsewhere it is started all the same, and a parent that is killed leaves it running. As a
process of its own, because what runs between fork and exec in a process with threads may never come to its end.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
"""From `linux/prctl.h`; it outlasts exec."""


def tethered(words: Sequence[str]) -> Sequence[str]:
    """Return the words with which this process starts a program so that it ends with it."""
    return (sys.executable, "-I", __file__, str(os.getpid()), *words)


def main(parent: int, words: Sequence[str]) -> None:
    """Become the program; give up if the parent is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        # Between the fork and the call nobody would have said that it died.
        if os.getppid() != parent:
            sys.exit("whoever wanted it is gone")
    try:
        os.execv(words[0], tuple(words))  # noqa: S606 - it becomes the program that it was told to
    except OSError as error:
        sys.exit(f"{words[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
