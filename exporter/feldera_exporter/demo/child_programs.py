"""Runs programs for the demo: on a free port, until the context ends."""

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import httpx

from feldera_exporter.demo.end_with_parent import ended_with_parent
from feldera_exporter.errors import ExporterError

HOST: Final = "127.0.0.1"

_START_SECONDS: Final = 20.0
_STOP_SECONDS: Final = 3.0
_TRIES: Final = 3
_ASK_SECONDS: Final = 0.05
_READY: Final = "/-/ready"

Command = Callable[[int], Sequence[str]]
"""Returns the command line of a program on a port."""

Process = asyncio.subprocess.Process


class ProgramError(ExporterError):
    """A program did not start; the text has the last line of its output."""


def installed(*names: str) -> Path | None:
    """Return the path of the first of these programs on the PATH; None if none is."""
    found = next(filter(None, map(shutil.which, names)), None)
    return Path(found) if found else None


def free_port(wanted: int = 0) -> int:
    """Return a port that is free now: the wanted one if it is. Another process may take it before it is used."""
    with contextlib.suppress(OSError), socket.create_server((HOST, wanted)) as probe:
        return int(probe.getsockname()[1])
    return free_port()


def local_client(timeout: float = 5.0) -> httpx.AsyncClient:
    """Return a client for programs of this machine, none of which has TLS: reading the certificates takes longest."""
    return httpx.AsyncClient(verify=False, trust_env=False, timeout=timeout)  # noqa: S501


@contextlib.asynccontextmanager
async def running(command: Command, log: Path, wanted: int = 0) -> AsyncIterator[str]:
    """Run a program on a free port, at best the wanted one, while the context lasts; the log takes what it says.

    Yields:
        its address, `http://127.0.0.1:PORT`.

    Raises:
        ProgramError: it cannot be started, ended before it was ready, each time, or was not ready in time.
    """
    for attempt in range(_TRIES):
        port = free_port(wanted if attempt == 0 else 0)
        url = f"http://{HOST}:{port}"
        process = await _start(command(port), log)
        try:
            if await _ready(process, f"{url}{_READY}"):
                yield url
                return
        finally:
            await _end(process)
        # Another process may have taken the port in between: try once more on another port.
    raise ProgramError(f"{command(0)[0]} did not start: {_last_words(log)}")


async def first_page(url: str, pages: Mapping[str, str]) -> str:
    """Return the address of the first page that a program has: some builds lack the web interface.

    `pages` has, by a path that is asked for, the path of its page; the last one is there in any build.
    """
    async with local_client() as client:
        for path, page in pages.items():
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(f"{url}{path}")).is_success:
                    return f"{url}{page}"
    return f"{url}{page}"


def prometheus(program: Path, configure: Callable[[int], Path], data: Path) -> Command:
    """Return how to start Prometheus on loopback; `configure` writes the configuration for a port and returns where."""
    return lambda port: (
        str(program),
        f"--config.file={configure(port)}",
        f"--storage.tsdb.path={data}",
        f"--web.listen-address={HOST}:{port}",
        "--log.level=warn",
    )


def alertmanager(program: Path, configure: Callable[[int], Path], data: Path) -> Command:
    """Return how to start an Alertmanager, alone, on loopback; the arguments are those of `prometheus`."""
    return lambda port: (
        str(program),
        f"--config.file={configure(port)}",
        f"--storage.path={data}",
        f"--web.listen-address={HOST}:{port}",
        "--cluster.listen-address=",
        "--log.level=warn",
    )


async def _start(words: Sequence[str], log: Path) -> Process:
    with log.open("ab") as said:
        # In a new session: the terminal's Ctrl-C ends the demo, and the demo ends this program.
        return await asyncio.create_subprocess_exec(
            *ended_with_parent(words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-1] if lines else "it said nothing"


async def _ready(process: Process, url: str) -> bool:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _START_SECONDS
    async with local_client(1) as client:
        while loop.time() < deadline and process.returncode is None:
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(url)).is_success:
                    return True
            await asyncio.sleep(_ASK_SECONDS)
    return False


async def _end(process: Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
