"""What the rules cost Prometheus: a real one on one core, with the real exposition and an hour of it behind.

Usage: python tests/benchmarks/rules.py [PIPELINES [REPLICAS]], prints JSON
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from feldera_exporter.rules.model import Pace

from benchmarks.bodies import Pipelines
from benchmarks.measuring import cpu_of
from benchmarks.scraping import program
from benchmarks.standin import standin
from feldera_exporter.demo.programs import free_port
from feldera_exporter.rules.rendering import GROUPS, rules
from system.program import until
from tools import THOROUGH, tool

SCRAPE: Final = 15
"""Seconds between two scrapes."""

FASTER: Final = 5
"""How much more often than in earnest the rules are evaluated: each time costs the same, and a run is shorter."""

SECONDS: Final = 26
"""For how long the processor is watched, with rules and without: two rounds of the slow group."""

HOUR: Final = 3600
GAP: Final = 300
"""Seconds of history for the families that are read over gaps alone."""

_WINDOW: Final = re.compile(r"\b((?:feldera|process)_\w+)(?:\{[^}]*\})?\[(\d+)([smh])\]")
_DURATION: Final = re.compile(
    r'^prometheus_rule_group_last_duration_seconds\{rule_group="[^"]*;([^"]*)"\} (\S+)$', re.MULTILINE
)
_NAME: Final = re.compile(r"\b(?:feldera_(?!instance\b)\w+|process_start_time_seconds)\b")


def lengths(text: str) -> dict[str, int]:
    """Return for how many seconds back each family that the rules read is needed."""
    found = dict.fromkeys(_NAME.findall(text), GAP)
    for name, number, unit in _WINDOW.findall(text):
        if _seconds(number + unit) > GAP:
            found[name] = HOUR
    return found


def _seconds(duration: str) -> int:
    return int(duration[:-1]) * {"s": 1, "m": 60, "h": HOUR}[duration[-1]]


def history(exposition: str, needed: dict[str, int], targets: list[str], end: float) -> Iterator[str]:
    """Yield OpenMetrics: what scrapes of these targets would have given up to a time, had it always been the same."""
    for line in exposition.splitlines():
        name = re.split(r"[{ ]", line, maxsplit=1)[0]
        if name not in needed:
            continue
        series, _, value = line.rpartition(" ")
        labels = series.removeprefix(name).strip("{}")
        for target in targets:
            own = f'{name}{{job="feldera-exporter",instance="{target}"{"," if labels else ""}{labels}}}'
            for at in range(round(end) - needed[name], round(end), SCRAPE):
                shown = at if name.endswith("last_successful_poll_timestamp_seconds") else value
                yield f"{own} {shown} {at}\n"
    yield "# EOF\n"


@contextmanager
def prometheus(folder: Path, targets: list[str], text: str) -> Iterator[tuple[str, int, Path]]:
    """Run Prometheus on one core until the context ends; give its address, its process id and its configuration."""
    for pace in Pace:
        faster = _seconds(pace) // FASTER
        text = text.replace(f"interval: {pace}\n", f"interval: {faster}s\n")
    (folder / "rules.yml").write_text(text)
    configuration = folder / "prometheus.yml"
    scraped: dict[str, Any] = {
        "global": {"scrape_interval": f"{SCRAPE}s"},
        "rule_files": [str(folder / "rules.yml")],
        "scrape_configs": [{"job_name": "feldera-exporter", "static_configs": [{"targets": targets}]}],
    }
    configuration.write_text(json.dumps(scraped))
    port = free_port()
    command = [
        tool("prometheus"),
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=10y",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    process = subprocess.Popen(command, env=os.environ | {"GOMAXPROCS": "1"})
    try:
        url = f"http://127.0.0.1:{port}"
        until(lambda: process.poll() is not None or _ready(url), 60)
        assert process.poll() is None
        yield url, process.pid, configuration
    finally:
        process.terminate()
        process.wait(20)


def measure(size: int, replicas: int, folder: Path) -> dict[str, float]:
    """Return which part of a core Prometheus takes to evaluate all rules.

    By how long a round takes at least; where there is time, by what processor's time it uses with the rules, less that without.
    """
    text = rules()
    with (
        standin(Pipelines(size).body()) as url,
        program(url, folder, "5s") as (port, _),
    ):
        targets = [f"127.0.0.1:{port}", f"localhost:{port}"][:replicas]
        exposition = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False, timeout=60).text
        past = folder / "past.txt"
        with past.open("w") as file:
            file.writelines(history(exposition, lengths(text), targets, time.time()))
        create = ["tsdb", "create-blocks-from", "openmetrics", "--quiet", past, folder / "data"]
        subprocess.run([tool("promtool"), *map(str, create)], check=True, stdout=subprocess.DEVNULL)
        past.unlink()
        with prometheus(folder, targets, text) as (address, process, configuration):
            known = "count(feldera:pipeline_program_status:age_seconds)"
            until(lambda: _value(address, known) == size, 90)
            taken, least = _spent(address, process)
            what = f"{replicas} replica{'s' if replicas > 1 else ''}"
            shares = {
                f"share of a core, {what}": sum(least[name] / _seconds(pace) for pace, name in GROUPS.items())
            }
            if not THOROUGH:
                return shares
            quiet = json.loads(configuration.read_text()) | {"rule_files": []}
            configuration.write_text(json.dumps(quiet))
            os.kill(process, signal.SIGHUP)
            time.sleep(SCRAPE)
            idle, _ = _spent(address, process)
    return shares | {f"processor's time, {what}": (taken - idle) / FASTER}


def _spent(address: str, process: int) -> tuple[float, dict[str, float]]:
    """Return the cores that Prometheus uses over some rounds, and how long each group took at least.

    The least is what a round costs where nobody else wants the core.
    """
    least: dict[str, float] = {}
    began, before = time.monotonic(), cpu_of(process)
    while (took := time.monotonic() - began) < SECONDS:
        time.sleep(1)
        for name, seconds in _durations(address):
            least[name] = min(seconds, least.get(name, seconds))
    return (cpu_of(process) - before) / took, least


def _durations(address: str) -> Iterator[tuple[str, float]]:
    text = httpx.get(f"{address}/metrics", trust_env=False, timeout=60).text
    for name, seconds in _DURATION.findall(text):
        yield name, float(seconds)


def _value(address: str, query: str) -> float:
    answer = httpx.get(f"{address}/api/v1/query", params={"query": query}, trust_env=False, timeout=60).json()
    found = answer["data"]["result"]
    return float(found[0]["value"][1]) if found else 0.0


def _ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/-/ready", timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False


if __name__ == "__main__":
    pipelines, copies = (int(text) for text in (*sys.argv[1:], *("1000", "1")[len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as own:
        print(json.dumps(measure(pipelines, copies, Path(own))))
