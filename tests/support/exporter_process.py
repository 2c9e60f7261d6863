"""The real program as a child process, for as long as a `with` block lasts."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from feldera_exporter.demo import child_programs as commands
from feldera_exporter.demo.child_programs import free_port
from support import loopback
from support.tools import tool

POLL = 1.0


@contextmanager
def exporter(url: str, folder: Path, *flags: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run the program on a free port, polling one instance every second, until the context ends."""
    text = f"instances: [{{name: default, url: '{url}', poll_interval: {POLL:g}s}}]\n"
    with configured(text, folder, *flags) as found:
        yield found


@contextmanager
def configured(text: str, folder: Path, *flags: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run the program on a free port with this configuration until the context ends."""
    configuration = folder / "exporter.yml"
    configuration.write_text(text)
    log = folder / "exporter.log"
    command = [sys.executable, "-m", "feldera_exporter", f"--config.file={configuration}", *flags]
    address, process = _start(command, log)
    try:
        assert process.poll() is None
        yield address, process
    finally:
        process.terminate()
        assert process.wait(5) == 0, log.read_text()
    assert "Traceback" not in log.read_text()


def _start(command: Sequence[str], log: Path) -> tuple[str, subprocess.Popen[bytes]]:
    """Start the program on a free port, and wait until it is ready or has ended; return its address."""
    for _ in range(3):
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        with log.open("wb") as said:
            process = subprocess.Popen(
                [*command, f"--web.listen-address=127.0.0.1:{port}"], stderr=said, stdout=said
            )
        until(partial(_started, process, address), 60)
        # Another program may have taken the port in between: then it ends, and is tried on another port.
        if process.poll() is None or "already in use" not in log.read_text():
            return address, process
    raise AssertionError(log.read_text())


@contextmanager
def prometheus(configuration: Path, data: Path) -> Iterator[str]:
    """Run a real Prometheus on a free port until the context ends, and give its address."""
    command = commands.prometheus(Path(tool("prometheus")), lambda _: configuration, data)
    for _ in range(3):
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        with data.with_suffix(".log").open("ab") as log:
            process = subprocess.Popen(command(port), stdout=log, stderr=log)
        try:
            # Another program may have taken the port in between: then it ends, and is tried on another port.
            until(partial(_started, process, url))
            if process.poll() is None:
                yield url
                return
        finally:
            process.terminate()
            process.wait(10)
    raise AssertionError(data.with_suffix(".log").read_text())


def _started(process: subprocess.Popen[bytes], url: str) -> bool:
    return process.poll() is not None or _answers(f"{url}/-/ready")


def until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Return what a condition gives once it is truthy."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        return loopback.get(url, timeout=2).is_success
    except httpx.HTTPError:
        return False
