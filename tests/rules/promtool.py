"""Scenarios as promtool's test files, and promtool itself."""

import os
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from feldera_exporter.rules.rendering import GROUPS
from rules.packs import Pack, packs
from rules.scenarios import Firing, Scenario
from rules.world import STEP
from tools import DEBIAN, tool

LENGTHS: Final = (600, 1200, 1800, 2700, 3600)
"""Seconds that tests describe, the shortest that suffices."""

WATCHDOG: Firing = ("FelderaWatchdog", {"severity": "none"})


@dataclass(frozen=True)
class Verdict:
    """What promtool said: whether all held, and its words."""

    passed: bool
    words: str


FRUGAL: Final = {"GOMAXPROCS": "1", "GOGC": "400"}
"""Promtool beside other tests: on one core, and with less collecting of garbage, it needs two thirds of the time."""


def run(*arguments: str | Path, edition: str = DEBIAN) -> Verdict:
    """Run an edition of promtool."""
    done = subprocess.run(
        [tool("promtool", edition), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **FRUGAL},
    )
    return Verdict(done.returncode == 0, done.stdout + done.stderr)


def document(
    rules: str,
    scenarios: Iterable[Scenario],
    *,
    only: str = "",
    families: frozenset[str] = frozenset(),
    step: int = STEP,
) -> str:
    """Return a test file of promtool's.

    Args:
        rules: the path of the rule file, relative to the test file.
        scenarios: its tests.
        families: the families to show, all if empty.
        step: seconds between scrapes and evaluations.
        only: an alert's name, to look at that one alone; all alerts count otherwise, the watchdog too.
    """
    known = tuple(packs(scenarios))
    worlds = [[row for member in pack for row in member.rows(_until(pack), families, step)] for pack in known]
    anchors = Anchors(Counter(row for world in worlds for row in world))
    order = ", ".join(GROUPS.values())
    parts = [f"rule_files: [{rules}]\nevaluation_interval: {step}s\ngroup_eval_order: [{order}]\ntests:\n"]
    for pack, world in zip(known, worlds, strict=True):
        names = "".join(f"\n      {member.prefix} {member.scenario.name}" for member in pack)
        title = f" |{names}" if len(pack) > 1 else f" {pack[0].scenario.name}"
        parts.append(f"\n  - name:{title}\n    interval: {step}s\n    input_series:\n")
        parts += (f"      - {anchors.series(*row)}\n" for row in world)
        parts.append("    promql_expr_test:\n")
        for member in pack:
            for at in sorted(member.scenario.expected):
                parts.append(f"      - expr: {member.alerts(only)}\n        eval_time: {at}s\n")
                firing = (*member.firing(at), WATCHDOG)
                parts.append(f"        exp_samples: {anchors.firing(firing, only)}\n")
    return "".join(parts)


def _until(pack: Pack) -> int:
    """Return how long to describe a pack: one of few lengths, so that tests share their series."""
    last = max(member.last for member in pack)
    return next((length for length in LENGTHS if length >= last), last)


class Anchors:
    """Names what a test file repeats, so that a reader sees what differs between its tests."""

    def __init__(self, uses: Counter[tuple[str, str]]) -> None:
        self._uses = uses
        self._names: dict[object, str] = {}

    def series(self, name: str, values: str) -> str:
        """Return one series, by its anchor from the second time on."""
        text = f"{{series: '{name}', values: '{values}'}}"
        if self._uses[name, values] < 2:
            return text
        stem = name.partition("{")[0].removeprefix("feldera_").removesuffix("_seconds")
        return self._once((name, values), stem, text)

    def firing(self, firing: Iterable[Firing], only: str) -> str:
        """Return the expected samples, by their anchor from the second time on."""
        chosen = sorted((_selector(name, labels) for name, labels in firing if only in {"", name}))
        stem = "fires" if len(chosen) > (not only) else "silent"
        samples = "".join(f"\n          - {{value: 1, labels: '{labels}'}}" for labels in chosen)
        return self._once(tuple(chosen), stem, samples or "[]")

    def _once(self, key: object, stem: str, text: str) -> str:
        if key in self._names:
            return f"*{self._names[key]}"
        taken = set(self._names.values())
        free = (stem, *(f"{stem}_{n}" for n in range(2, 1000)))
        self._names[key] = next(name for name in free if name not in taken)
        return f"&{self._names[key]} {text}"


def _selector(name: str, labels: Mapping[str, str]) -> str:
    shown = {"alertname": name, "alertstate": "firing", **labels}
    inside = ", ".join(f'{key}="{value}"' for key, value in shown.items())
    return f"ALERTS{{{inside}}}"
