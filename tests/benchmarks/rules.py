"""What the rules cost Prometheus: a real one on one core, with the real exposition and an hour of it behind.

Usage: python tests/benchmarks/rules.py [PIPELINES [REPLICAS [TROUBLED [OTHER]]]], prints JSON. TROUBLED is how many of the
pipelines are stuck, OTHER a file of other rules, which the same Prometheus then evaluates as well.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import yaml

from benchmarks.scraping import program
from feldera_exporter.demo.child_programs import free_port
from feldera_exporter.rules.rendering import rules
from support import loopback
from support.constant_feldera import constant_feldera
from support.exporter_process import until
from support.pipeline_lists import PipelineListGenerator
from support.tools import tool

SCRAPE: Final = 15
"""Seconds between two scrapes."""

FASTER: Final = 5
"""How much more often than in earnest the rules are evaluated: each time costs the same, and a run is shorter."""

SECONDS: Final = 26
"""For how long is looked at what evaluations take."""

HOUR: Final = 3600
GAP: Final = 300
"""Seconds of history for the families that are read over gaps alone."""

_UNITS: Final = {"s": 1, "m": 60, "h": HOUR, "d": 24 * HOUR}
_NAME: Final = re.compile(r"\b(?:feldera_(?!instance\b|service\b)\w+|process_start_time_seconds)\b")
_WINDOW: Final = re.compile(r"\b((?:feldera|process)_\w+)(?:\{[^}]*\})?\[(\d+[smhd])\]")
_DURATION: Final = re.compile(
    r'^prometheus_rule_group_last_duration_seconds\{rule_group="([^"]*);([^"]*)"\} (\S+)$', re.MULTILINE
)

Group = tuple[str, str]
"""The name of a file of rules, and that of a group in it."""


def lengths(text: str) -> dict[str, int]:
    """Return for how many seconds back each family that the rules read is needed."""
    found = dict.fromkeys(_NAME.findall(text), GAP)
    for name, window in _WINDOW.findall(text):
        if _seconds(window) > GAP:
            found[name] = HOUR
    return found


def _seconds(duration: str) -> int:
    return int(duration[:-1]) * _UNITS[duration[-1]]


def stuck(body: bytes, number: int) -> bytes:
    """Return a list in which so many pipelines have been Provisioning since long ago."""
    elements: list[dict[str, Any]] = msgspec.json.decode(body)
    for element in elements[:number]:
        element |= {
            "deployment_status": "Provisioning",
            "deployment_resources_status": "Provisioning",
            "deployment_runtime_status": None,
            "deployment_runtime_status_since": None,
        }
    return msgspec.json.encode(elements)


def history(exposition: str, needed: Mapping[str, int], targets: list[str], end: float) -> Iterator[str]:
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


def faster(text: str) -> tuple[str, dict[str, int]]:
    """Return rules that are evaluated more often, and how often each group is in earnest, in seconds."""
    document = yaml.load(text, yaml.CSafeLoader)
    paces = {}
    for group in document["groups"]:
        paces[group["name"]] = _seconds(group["interval"])
        group["interval"] = f"{paces[group['name']] // FASTER}s"
    return yaml.dump(document, Dumper=yaml.CSafeDumper), paces


@contextmanager
def prometheus(folder: Path, targets: list[str], files: Mapping[str, str]) -> Iterator[str]:
    """Run Prometheus on one core with these rules, by the names of their files; give its address."""
    for name, text in files.items():
        (folder / name).write_text(text)
    configuration = folder / "prometheus.yml"
    scraped: dict[str, Any] = {
        "global": {"scrape_interval": f"{SCRAPE}s"},
        "rule_files": [str(folder / name) for name in files],
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
        yield url
    finally:
        process.terminate()
        process.wait(20)


def measure(size: int, replicas: int, troubled: int, other: Path | None, folder: Path) -> dict[str, float]:
    """Return which part of a core Prometheus takes to evaluate the rules, and others if there are.

    By how long an evaluation takes at least: what it costs where no other process uses the core.
    """
    texts = {"rules.yml": rules()} | ({"other.yml": other.read_text("utf-8")} if other else {})
    needed = lengths("\n".join(texts.values()))
    found = {name: faster(text) for name, text in texts.items()}
    body = stuck(PipelineListGenerator(size).body(), troubled)
    with constant_feldera(body) as url, program(url, folder, "5s") as (port, _):
        targets = [f"127.0.0.1:{port}", f"localhost:{port}"][:replicas]
        exposition = loopback.get(f"http://127.0.0.1:{port}/metrics", timeout=60).text
        past = folder / "past.txt"
        with past.open("w") as file:
            file.writelines(history(exposition, needed, targets, time.time()))
        create = ["tsdb", "create-blocks-from", "openmetrics", "--quiet", past, folder / "data"]
        subprocess.run([tool("promtool"), *map(str, create)], check=True, stdout=subprocess.DEVNULL)
        past.unlink()
        with prometheus(folder, targets, {name: text for name, (text, _) in found.items()}) as address:
            until(lambda: _value(address, "count(feldera:exporter:trusted)") == replicas, 90)
            firing = 'count(ALERTS{alertname="FelderaPipelineStuckProvisioning", alertstate="firing"})'
            until(lambda: _value(address, firing) == troubled, 90)
            least = _least(address)
    what = f"{replicas} replica{'s' if replicas > 1 else ''}" + (
        f", {troubled} in trouble" if troubled else ""
    )
    return {
        f"share of a core, {what}{', other rules' if name == 'other.yml' else ''}": sum(
            least[name, group] / pace for group, pace in paces.items()
        )
        for name, (_, paces) in found.items()
    }


def _least(address: str) -> dict[Group, float]:
    """Return how many seconds each group took at least, over some evaluations."""
    least: dict[Group, float] = {}
    began = time.monotonic()
    while time.monotonic() - began < SECONDS:
        time.sleep(0.5)
        text = loopback.get(f"{address}/metrics", timeout=60).text
        for path, group, seconds in _DURATION.findall(text):
            key = Path(path).name, group
            # Before its first evaluation a group has taken no time.
            if float(seconds):
                least[key] = min(float(seconds), least.get(key, float(seconds)))
    return least


def _value(address: str, query: str) -> float:
    answer = loopback.get(f"{address}/api/v1/query", params={"query": query}, timeout=60).json()
    found = answer["data"]["result"]
    return float(found[0]["value"][1]) if found else 0.0


def _ready(address: str) -> bool:
    try:
        return loopback.get(f"{address}/-/ready", timeout=5).is_success
    except httpx.HTTPError:
        return False


if __name__ == "__main__":
    given = sys.argv[1:]
    pipelines, copies, stuck_ones = (int(text) for text in (*given, *("1000", "1", "0")[len(given) :])[:3])
    with tempfile.TemporaryDirectory() as own:
        compared = Path(given[3]) if given[3:] else None
        print(json.dumps(measure(pipelines, copies, stuck_ones, compared, Path(own))))
