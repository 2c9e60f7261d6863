"""What it costs to watch many instances in one process: prints a table of CPU and memory.

Usage: python tests/benchmarks/instances.py [SECONDS [PIPELINES]]
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from feldera_exporter.demo.programs import free_port
from feldera_exporter.simulator.clock import ScaledClock
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.plan import INSTANT
from feldera_exporter.simulator.server import FelderaServer
from feldera_exporter.simulator.serving import serve

INTERVAL = 5
SCRAPE = 15
TICKS = 100
"""Clock ticks in a second, as Linux reports them to every process."""


def stand_ins(count: int, pipelines: int) -> None:
    """Serve so many instances, say where, and go on until standard input ends."""
    with ExitStack() as stack:
        for _ in range(count):
            feldera = Feldera(ScaledClock(time.time_ns() // 1000), plan=INSTANT)
            for number in range(pipelines):
                feldera.create(f"p{number}")
            feldera.settle()
            for number in range(pipelines):
                feldera.start(f"p{number}")
            print(stack.enter_context(serve(FelderaServer(feldera))), flush=True)
        sys.stdin.read()


@contextmanager
def served(count: int, pipelines: int) -> Iterator[list[str]]:
    """Give the URLs of so many instances in a process of their own."""
    command = [sys.executable, __file__, "serve", str(count), str(pipelines)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield [process.stdout.readline().strip() for _ in range(count)]
        finally:
            process.stdin.close()


def cpu(pid: int) -> float:
    """Return the CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def watched(urls: list[str], seconds: float) -> tuple[float, float, float]:
    """Watch instances for some seconds; return the share of a core, MiB, and the polls per second that succeeded."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "exporter.yml")
        entries = "".join(
            f"  - {{name: i{n}, url: '{url}', poll_interval: {INTERVAL}s}}\n" for n, url in enumerate(urls)
        )
        path.write_text(f"instances:\n{entries}")
        port = free_port()
        flags = (f"--config.file={path}", f"--web.listen-address=127.0.0.1:{port}", "--log.level=warning")
        with subprocess.Popen([sys.executable, "-m", "feldera_exporter", *flags]) as process:
            try:
                time.sleep(3 * INTERVAL)
                before, began, polls = cpu(process.pid), time.monotonic(), succeeded(port)
                after = polls
                while (left := seconds - (time.monotonic() - began)) > 0:
                    time.sleep(min(SCRAPE, left))
                    after = succeeded(port)
                took = time.monotonic() - began
                return (cpu(process.pid) - before) / took, memory(process.pid), (after - polls) / took
            finally:
                process.terminate()


def succeeded(port: int) -> float:
    """Scrape as Prometheus does, and return how many polls have succeeded."""
    headers = {"Accept": "application/openmetrics-text;version=1.0.0", "Accept-Encoding": "gzip"}
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", headers=headers, trust_env=False, timeout=10).text
    lines = (line for line in text.splitlines() if 'outcome="success"' in line)
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def main(seconds: float, pipelines: int) -> None:
    """Measure with one, ten and fifty instances."""
    print(
        f"{pipelines} running pipelines each, polled every {INTERVAL} s, scraped every {SCRAPE} s, for {seconds:g} s"
    )
    print(f"{'instances':>9}  {'core':>6}  {'MiB':>5}  {'polls/s':>7}")
    with served(50, pipelines) as urls:
        for count in (1, 10, 50):
            core, mebibytes, polls = watched(urls[:count], seconds)
            print(f"{count:>9}  {core:>6.1%}  {mebibytes:>5.0f}  {polls:>7.1f}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        stand_ins(*map(int, sys.argv[2:4]))
    else:
        seconds, pipelines = (*sys.argv[1:], *("60", "3")[len(sys.argv) - 1 :])[:2]
        main(float(seconds), int(pipelines))
