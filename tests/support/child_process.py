"""A program as a child process that can be killed and started again on its address."""

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import httpx

from support import loopback


class ChildProcess:
    """A program that listens on its own address.

    Args:
        url: where it answers.
        command: the words to start it with.
        log: the file that takes what it says.
    """

    def __init__(self, url: str, command: Sequence[str], log: Path) -> None:
        self.url = url
        self.log = log
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, without waiting."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)

    def kill(self) -> None:
        """Kill it at once, as the kernel does when memory runs out."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        """Stop it with SIGSTOP: it accepts connections and answers none."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        self._send(signal.SIGCONT)

    def stop(self) -> None:
        """End it by SIGTERM, or SIGKILL after ten seconds."""
        if self._process is not None:
            self.thaw()
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    @property
    def ready(self) -> bool:
        """Whether it answers and is ready; one that has ended meanwhile fails."""
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()
        return self.get("/-/ready") is not None

    def get(self, path: str, **query: str) -> httpx.Response | None:
        """Return its answer, None while there is no good one."""
        try:
            answer = loopback.get(f"{self.url}{path}", params=query or None, timeout=5)
        except httpx.HTTPError:
            return None
        return answer if answer.is_success else None

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
