"""A signal ends the program in order at any time, also while it loads its modules."""

import os
import signal
import subprocess
import sys
import time
from itertools import cycle
from pathlib import Path

import pytest

from feldera_exporter import __main__ as process
from feldera_exporter.demo.child_programs import free_port


def _caught(pid: int, number: signal.Signals) -> bool:
    """Return whether a process has a handler for a signal."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [mask] = [int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:")]
    return bool(mask & 1 << (number - 1))


SERVING = [signal.SIGINT, signal.SIGTERM]
WATCHING = [signal.SIGHUP, *SERVING]


@pytest.mark.parametrize(
    ("later", "number"), list(zip([0.0, 0.1, 0.2, 0.4, 0.6], cycle(SERVING), strict=False))
)
def test_a_signal_while_it_loads_ends_it_well(later: float, number: signal.Signals) -> None:
    """Either signal at any moment of the start ends it with 0 and without a traceback; both have one handler."""
    words = [sys.executable, "-m", "feldera_exporter", f"--web.listen-address=127.0.0.1:{free_port()}"]
    environment = {**os.environ, "FELDERA_HOST": "http://127.0.0.1:1"}
    with subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True) as started:
        # It is the last one; until then SIGINT's is Python's own.
        while not _caught(started.pid, signal.SIGTERM):
            assert started.poll() is None
            time.sleep(0.001)
        time.sleep(later)
        started.send_signal(number)
        try:
            _, said = started.communicate(timeout=30)
        finally:
            started.kill()
        assert (started.returncode, "Traceback" in said) == (0, False), said


@pytest.mark.parametrize(
    ("words", "handled"),
    [
        ([], WATCHING),
        (["--log.level=debug"], WATCHING),
        (["run"], WATCHING),
        (["demo", "--duration", "1"], SERVING),
        (["simulate"], SERVING),
        (["--version"], []),
        (["--help"], []),
        (["check"], []),
        (["rules"], []),
    ],
)
def test_only_what_serves_ends_well_by_a_signal(
    words: list[str], monkeypatch: pytest.MonkeyPatch, handled: list[int]
) -> None:
    """An interrupted `check` or `rules` does not end with 0."""
    set_: list[int] = []
    monkeypatch.setattr(sys, "argv", ["feldera-exporter", *words])
    monkeypatch.setattr(signal, "signal", lambda number, _: set_.append(number))
    monkeypatch.setattr("feldera_exporter.cli.main", lambda: 3)
    with pytest.raises(SystemExit) as ended:
        process.start()
    assert ended.value.code == 3
    assert set_ == handled


def test_an_interrupt_ends_it_where_exceptions_are_lost() -> None:
    """The exit code is 0 even within an event loop, where exceptions are lost."""
    code = (
        "import feldera_exporter.__main__ as process\n"
        "class Lost:\n"
        "    def __del__(self): process._leave()\n"
        "Lost()\n"
        "raise AssertionError\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
