"""A machine for the commands of docs/install.md: a folder stands for its root, a stand-in of Feldera runs on it, ports are free ones."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from support import loopback
from support.exporter_process import until
from support.tools import ROOT

TEXT: Final = (ROOT / "docs/install.md").read_text(encoding="utf-8")
FELDERA: Final = "https://feldera.example.com"
"""The address that stands for the reader's own."""

_OUTSIDE: Final = re.compile(r"(?<![\w.])/(?:opt|etc|var/lib|run)/")


def section(title: str) -> str:
    """Return what stands below a heading of docs/install.md."""
    return TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def blocks(title: str, language: str = "sh") -> list[str]:
    """Return the blocks of code below a heading, in order, each line of them a whole command."""
    found = re.findall(rf"```{language}\n(.*?)```", section(title), re.DOTALL)
    return [block.replace("\\\n ", "") for block in found]


def first_commands(title: str) -> list[str]:
    """Return the commands of the first block below a heading."""
    return blocks(title)[0].splitlines()


@dataclass(frozen=True)
class Machine:
    """Where commands run.

    Attributes:
        root: stands for `/` in paths that commands write to.
        feldera: the address of the stand-in.
    """

    root: Path
    feldera: str

    @property
    def key(self) -> Path:
        """Return the file with the API key, made if it is not there."""
        path = self.root / "key"
        path.write_text("apikey:0123456789\n")
        path.chmod(0o600)
        return path

    def here(self, text: str) -> str:
        """Return a text with paths, addresses and the file of the key as they are on this machine."""
        text = re.sub(r"(?<![\w-])(?:\$PWD/)?FILE\b", str(self.key), text.replace(FELDERA, self.feldera))
        return _OUTSIDE.sub(lambda found: f"{self.root}{found[0]}", text)

    def run(self, *commands: str) -> str:
        """Run commands in one shell, in the source tree, and return what they print.

        Raises:
            AssertionError: one of them fails.
        """
        done = subprocess.run(
            self.shell(*commands),
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def shell(self, *commands: str) -> list[str]:
        """Return the call of a shell that runs commands up to the first that fails."""
        return ["/bin/sh", "-euc", self.here("\n".join(commands))]

    def environment(self) -> dict[str, str]:
        """Return a new login's: nothing of this test's own Python, whose version `python3` is all the same."""
        programs = self.root / "usr/bin"
        programs.mkdir(parents=True, exist_ok=True)
        python = programs / "python3"
        python.write_text(f'#!/bin/sh\nexec {sys._base_executable} "$@"\n')  # type: ignore[attr-defined]
        python.chmod(0o755)
        own = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))
        }
        return {**own, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


@contextmanager
def running(call: Sequence[str], environ: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in the source tree until the context ends; SIGTERM must end it with 0."""
    with log.open("wb") as stream:
        process = subprocess.Popen(call, cwd=ROOT, env=environ, stdout=stream, stderr=stream)
    try:
        yield process
        process.terminate()
        assert process.wait(15) == 0, log.read_text()
    except BaseException:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()
        sys.stderr.write(log.read_text())
        raise


def answering(url: str, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    """Wait until a program answers an address well.

    Raises:
        AssertionError: it ends, or does not in time.
    """

    def answers() -> bool:
        assert process.poll() is None
        with suppress(httpx.HTTPError):
            return loopback.get(url, timeout=2).is_success
        return False

    until(answers, seconds)


def scraped(address: str, process: subprocess.Popen[bytes], instance: str) -> None:
    """Scrape an exporter as soon as it is ready: it shows the pipelines of the stand-in.

    Raises:
        AssertionError: it does not.
    """
    answering(f"{address}/-/ready", process)
    text = loopback.get(f"{address}/metrics").text
    assert f'feldera_up{{feldera_instance="{instance}"}} 1' in text
    assert re.search(r'feldera_pipeline_deployment_status\{[^}]*pipeline_name="big-join"', text)
