"""What it costs to watch many instances in one process.

Run as a program it prints JSON: `instances.py COUNT SECONDS`; `instances.py serve COUNT` serves the instances.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from benchmarks.measuring import cpu_of, memory_of
from feldera_exporter.demo.child_programs import free_port
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.server import FelderaServer
from support import loopback
from support.clocks import ScaledClock
from support.plans import INSTANT

INTERVAL = 5
SCRAPE = 15
PIPELINES = 3
"""Running, in each instance."""


def stand_ins(count: int) -> None:
    """Serve so many instances, say where, and go on until standard input ends."""
    with ExitStack() as stack:
        for _ in range(count):
            feldera = Feldera(ScaledClock(time.time_ns() // 1000), plan=INSTANT)
            for number in range(PIPELINES):
                feldera.create(f"p{number}")
            feldera.settle()
            for number in range(PIPELINES):
                feldera.start(f"p{number}")
            print(stack.enter_context(serve(FelderaServer(feldera))), flush=True)
        sys.stdin.read()


@contextmanager
def served(count: int) -> Iterator[list[str]]:
    """Yield the URLs of so many instances in a separate process."""
    command = [sys.executable, __file__, "serve", str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield [process.stdout.readline().strip() for _ in range(count)]
        finally:
            process.stdin.close()


def watched(urls: list[str], seconds: float) -> dict[str, float]:
    """Watch instances for some seconds; return the share of a core, MiB, and the polls per second that succeeded."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "exporter.yml")
        entries = "".join(
            f"  - {{name: i{n}, url: '{url}', poll_interval: {INTERVAL}s}}\n" for n, url in enumerate(urls)
        )
        path.write_text(f"instances:\n{entries}")
        port = free_port()
        flags = (f"--config.file={path}", f"--web.listen-address=127.0.0.1:{port}", "--log.level=warning")
        process = subprocess.Popen([sys.executable, "-m", "feldera_exporter", *flags])
        try:
            time.sleep(3 * INTERVAL)
            before, began, polls = cpu_of(process.pid), time.monotonic(), succeeded(port)
            after = polls
            while (left := seconds - (time.monotonic() - began)) > 0:
                time.sleep(min(SCRAPE, left))
                after = succeeded(port)
            took = time.monotonic() - began
            return {
                "share of a core": (cpu_of(process.pid) - before) / took,
                "RSS, MiB": memory_of(process.pid, "VmRSS"),
                "polls/s": (after - polls) / took,
            }
        finally:
            process.terminate()
            process.wait(10)


def succeeded(port: int) -> float:
    """Scrape as Prometheus does, and return how many polls have succeeded."""
    headers = {"Accept": "application/openmetrics-text;version=1.0.0", "Accept-Encoding": "gzip"}
    text = loopback.get(f"http://127.0.0.1:{port}/metrics", headers=headers, timeout=10).text
    lines = (line for line in text.splitlines() if 'outcome="success"' in line)
    return sum(float(line.rpartition(" ")[2]) for line in lines)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        stand_ins(int(sys.argv[2]))
    else:
        with served(int(sys.argv[1])) as _urls:
            sys.stdout.buffer.write(msgspec.json.encode(watched(_urls, float(sys.argv[2]))))
