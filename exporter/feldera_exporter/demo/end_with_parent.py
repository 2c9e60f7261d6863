"""Starts a program that ends with the process that started it, even if that is killed: `end_with_parent.py PARENT PROGRAM ARGUMENT…`.

On Linux the kernel ends it; elsewhere the program keeps running if the parent is killed. This is a separate
program, because code between fork and exec may hang in a process with threads.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
"""From `linux/prctl.h`; it outlasts exec."""


def ended_with_parent(words: Sequence[str]) -> Sequence[str]:
    """Return the command line that starts a program so that it ends with this process."""
    return (sys.executable, "-I", __file__, str(os.getpid()), *words)


def main(parent: int, words: Sequence[str]) -> None:
    """Replace this process by the program; exit if the parent has already ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        # The parent may have died before the call.
        if os.getppid() != parent:
            sys.exit("the parent process has ended")
    try:
        os.execv(words[0], tuple(words))  # noqa: S606 - it becomes the given program
    except OSError as error:
        sys.exit(f"{words[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
