"""The same series in prometheus_client's gauges and encoder, which render and compress at every scrape.

Run as a program it reads an exposition from a file and prints JSON: `registry.py FILE ROUNDS`.
"""

import gzip
import re
import sys
from pathlib import Path
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import generate_latest

from benchmarks.measuring import cpu, medians

_SAMPLE: Final = re.compile(r"(\w+)\{(.*)\} (\S+)")
_LABEL: Final = re.compile(r'(\w+)="([^"]*)"')


def registry(text: str) -> CollectorRegistry:
    """Return a registry with one gauge per name, and every sample of a text as its child."""
    found = CollectorRegistry()
    gauges: dict[str, Gauge] = {}
    for line in text.splitlines():
        match = _SAMPLE.fullmatch(line)
        if match is None:
            continue
        labels = dict(_LABEL.findall(match[2]))
        gauge = gauges.get(match[1])
        if gauge is None:
            gauge = gauges[match[1]] = Gauge(match[1], "The same.", tuple(labels), registry=found)
        gauge.labels(**labels).set(float(match[3]))
    return found


def measure(text: str, rounds: int) -> dict[str, float]:
    """Return the milliseconds of CPU of one scrape, medians over rounds."""
    series = registry(text)
    written = [b""]

    def render() -> None:
        written[0] = generate_latest(series)

    return medians(
        [
            # Level 9 is what prometheus_client compresses with.
            {"generate_latest": cpu(render), "its gzip": cpu(lambda: gzip.compress(written[0], 9))}
            for _ in range(rounds)
        ]
    )


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(measure(Path(sys.argv[1]).read_text(), int(sys.argv[2]))))
