"""The same series in prometheus_client's gauges and encoder, which render and compress at every scrape.

Run as a program it reads an exposition from a file and prints JSON: `registry.py FILE ROUNDS`.
"""

import gzip
import os
import re
import sys
from pathlib import Path
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import generate_latest

from benchmarks.measuring import cpu, medians, memory_of

_SAMPLE: Final = re.compile(r"(\w+)\{(.*)\} (\S+)")
_LABEL: Final = re.compile(r'(\w+)="([^"]*)"')


def samples(text: str) -> list[tuple[str, dict[str, str], float]]:
    """Return every sample of a text: its name, its labels and its value."""
    found = []
    for line in text.splitlines():
        match = _SAMPLE.fullmatch(line)
        if match is not None:
            found.append((match[1], dict(_LABEL.findall(match[2])), float(match[3])))
    return found


class GaugePerName:
    """One gauge per name, with every sample as its child."""

    def __init__(self, values: list[tuple[str, dict[str, str], float]]) -> None:
        self.registry = CollectorRegistry()
        self._values = values
        self._gauges: dict[str, Gauge] = {}
        for name, labels, _ in values:
            if name not in self._gauges:
                self._gauges[name] = Gauge(name, "The same.", tuple(labels), registry=self.registry)
        self.set()

    def set(self) -> None:
        """Set every child, as a poll that knows of no change does."""
        for name, labels, value in self._values:
            self._gauges[name].labels(**labels).set(value)


def measure(text: str, rounds: int) -> dict[str, float]:
    """Return the milliseconds of CPU of a poll and of a scrape, medians over rounds, and the MiB that the gauges take."""
    values = samples(text)
    before = memory_of(os.getpid(), "VmRSS")
    gauges = GaugePerName(values)
    held = memory_of(os.getpid(), "VmRSS") - before
    written = [b""]

    def render() -> None:
        written[0] = generate_latest(gauges.registry)

    found = medians(
        [
            {
                "gauges: setting all": cpu(gauges.set),
                "generate_latest": cpu(render),
                # Level 9 is what prometheus_client compresses with.
                "its gzip": cpu(lambda: gzip.compress(written[0], 9)),
            }
            for _ in range(rounds)
        ]
    )
    return {**found, "gauges: RSS, MiB": held}


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(measure(Path(sys.argv[1]).read_text(), int(sys.argv[2]))))
