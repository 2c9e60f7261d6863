"""The number of arenas from which the C library allocates."""

import subprocess
import sys

import pytest

CODE = """
import ctypes, os, sys, threading
from feldera_exporter.polling.malloc_tuning import share_one_arena
if sys.argv[1] == "shared":
    share_one_arena()
all_run = threading.Barrier(5)
def work():
    all_run.wait(20)
    kept = [bytes(10_000) for _ in range(100)]
    all_run.wait(20)
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
all_run.wait(20)
all_run.wait(20)
for thread in threads:
    thread.join()
c = ctypes.CDLL(None)
c.fdopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(c.fdopen(os.dup(1), b"w"))
c.malloc_info(0, file)
c.fflush(file)
"""


@pytest.mark.parametrize(("mode", "is_shared"), [("shared", True), ("default", False)])
def test_the_arenas(mode: str, is_shared: bool) -> None:  # noqa: FBT001 - a table's column
    """Threads that allocate at the same time share the first arena; by default they do not."""
    done = subprocess.run([sys.executable, "-c", CODE, mode], capture_output=True, text=True, check=True)
    assert (done.stdout.count("<heap nr=") == 1) is is_shared
