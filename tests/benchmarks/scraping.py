"""What a scrape costs: the real program beside nginx with the same bytes; the scrapers are a separate process."""

import gzip
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import msgspec

from benchmarks.load import LoadResult
from benchmarks.measuring import apart, cpu_of, medians, memory_of
from feldera_exporter.demo.child_programs import free_port
from support import loopback
from support.constant_feldera import constant_feldera
from support.exporter_process import until
from support.nginx import nginx
from support.pipeline_lists import BEGAN, PipelineListGenerator

HERE: Final = Path(__file__).parent
_SECONDS: Final = 0.5
_QUIET: Final = "1h"
"""A poll interval after which nothing but scrapes is measured."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server of scrapes: its address and its process."""

    name: str
    port: int
    path: str
    process: int
    encoding: str = "identity"


def scrape(server: Server, scrapers: int) -> dict[str, float]:
    """Return what a scrape costs the server and how long it takes, in milliseconds, and scrapes per second."""
    command = [
        sys.executable,
        HERE / "load.py",
        server.port,
        server.path,
        server.encoding,
        scrapers,
        _SECONDS,
    ]
    before = cpu_of(server.process)
    output = subprocess.run(list(map(str, command)), check=True, capture_output=True).stdout
    spent = cpu_of(server.process) - before
    seen = msgspec.json.decode(output, type=LoadResult)
    name = f"{server.name}, {scrapers} scraper{'s' if scrapers > 1 else ''}"
    return {
        f"{name}: CPU": spent * 1000 / seen.answers,
        f"{name}: scrapes/s": seen.answers / seen.seconds,
        f"{name}: p99": seen.p99,
    }


@contextmanager
def program(url: str, folder: Path, interval: str, *flags: str) -> Iterator[tuple[int, int]]:
    """Run the exporter on a free port until the context ends; give the port and the process id."""
    configuration = folder / "exporter.yml"
    lines = (f"name: default, url: '{url}'", f"poll_interval: {interval}", "staleness: 2h")
    configuration.write_text("instances: [{" + ", ".join(lines) + "}]\n")
    port = free_port()
    command = [sys.executable, "-m", "feldera_exporter", f"--config.file={configuration}", *flags]
    process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"])
    try:
        until(lambda: process.poll() is not None or _ready(port), 60)
        assert process.poll() is None
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(10)


def measure(size: int, rounds: int, folder: Path) -> dict[str, float]:
    """Return the figures of one size, medians over rounds; the exposition is left in `folder/files`."""
    files = folder / "files"
    files.mkdir()
    with ExitStack() as stack:
        url = stack.enter_context(constant_feldera(PipelineListGenerator(size).body()))
        port, process = stack.enter_context(program(url, folder, _QUIET))
        with httpx.Client(trust_env=False, timeout=60) as client:
            metrics = f"http://127.0.0.1:{port}/metrics"
            with client.stream("GET", metrics) as answer:
                packed = b"".join(answer.iter_raw())
        (files / "gzip").write_bytes(packed)
        (files / "identity").write_bytes(gzip.decompress(packed))
        servers = [Server("exporter, gzip", port, "/metrics", process, "gzip")]
        for sendfile in (False, True):
            mode = "on" if sendfile else "off"
            name = f"nginx, sendfile {mode}"
            (own := folder / f"nginx-{sendfile}").mkdir()
            directives = f"root {files}; sendfile {mode}; keepalive_requests 1000000;"
            nginx_port, worker = stack.enter_context(nginx(own, directives))
            servers.append(Server(f"{name}, gzip", nginx_port, "/gzip", worker))
        stack.enter_context(apart({server.process for server in servers}))
        found = []
        for _ in range(rounds):
            figures: dict[str, float] = {}
            for server in servers:
                for scrapers in (1, 20):
                    figures |= scrape(server, scrapers)
            found.append(figures)
    return medians(found)


def memory(size: int, folder: Path) -> float:
    """Return the most MiB that the program ever held, with a store, while 1 % changed and both forms were scraped."""
    pipelines = PipelineListGenerator(size)
    lists = [pipelines.body()]
    for _ in range(3):
        pipelines.happen(0.01, BEGAN)
        lists.append(pipelines.body())
    store = f"--storage.path={folder / 'store'}"
    with constant_feldera(*lists) as url, program(url, folder, "1s", store) as (port, process):
        for _ in range(6):
            for encoding in ("gzip", "identity"):
                scrape(Server("", port, "/metrics", process, encoding), 1)
        return memory_of(process)


def _ready(port: int) -> bool:
    try:
        return loopback.get(f"http://127.0.0.1:{port}/-/ready", timeout=5).is_success
    except httpx.HTTPError:
        return False
