"""Measure what the exporter costs, beside what others cost in the same run: a table, and JSON in `.cache/bench.json`.

Times are milliseconds of CPU of the one process that is measured, medians over rounds; of polls, the lesser of two passes
at both ends of the run. Compare ratios, not times: the
times are those of the machine, and of whatever else it does.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
HERE: Final = ROOT / "tests/benchmarks"

# Every process that is started here imports the same two trees.
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "exporter")]
os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[:2])

from benchmarks import scraping, verdicts  # noqa: E402 - see above
from benchmarks.measuring import exponent, least  # noqa: E402 - see above
from support.tools import THOROUGH  # noqa: E402 - see above

SIZES: Final = (10, 100, 1000, 10_000)
_ROUNDS: Final = {10: 15, 100: 15, 1000: 9, 10_000: 5}
_SCRAPE_ROUNDS: Final = {10: 1, 100: 1, 1000: 2, 10_000: 5}
_REGISTRY: Final = {10: 5, 100: 5, 1000: 3, 10_000: 1}
"""Rounds: at 10,000 pipelines one scrape of the registry takes a quarter of a minute."""
_PASSES: Final = 2
"""How often polls are measured, far apart: a fast minute of the machine at one size is no growth at the next."""


def main() -> int:
    """Measure everything; return 1 if a ratio is not what it must be."""
    began = time.monotonic()
    polls = [_polls()]
    results = {size: _size(size) for size in SIZES}
    polls += [_polls() for _ in range(1, _PASSES)]
    results = {size: least([each[size] for each in polls]) | results[size] for size in SIZES}
    once = {
        "50 instances": _child("instances", 50, 20),
        "transitions": _child("transitions", verdicts.TRANSITIONS),
        "rules": _child("rules", verdicts.THOUSAND, 1),
    }
    if THOROUGH:
        once["rules"] |= _child("rules", verdicts.THOUSAND, 2)
        once["rules"] |= _child("rules", verdicts.THOUSAND, 2, verdicts.THOUSAND)
    growth = {
        name: exponent({size: results[size][name] for size in (1000, 10_000)})
        for name in results[SIZES[-1]]
        if all(results[size].get(name, 0) > 0 for size in SIZES) and not name.endswith("scrapes/s")
    }
    _print(results, growth)
    for what, figures in once.items():
        print(f"\n{what}: " + ", ".join(f"{name} {_cell(value)}" for name, value in figures.items()))
    found = verdicts.verdicts(results, growth, once)
    print()
    for verdict in found:
        print(verdict)
    report: dict[str, Any] = {
        "machine": {
            "processors": os.cpu_count(),
            "python": platform.python_version(),
            "load": os.getloadavg(),
            "seconds": round(time.monotonic() - began),
        },
        "sizes": results,
        "exponents": growth,
        "once": once,
        "verdicts": [verdict.as_json() for verdict in found],
    }
    file = ROOT / ".cache/bench.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(report, indent=2) + "\n")
    print(f"\n{report['machine']['seconds']} seconds; {file.relative_to(ROOT)} has every figure")
    return 0 if all(verdict.holds for verdict in found) else 1


def _polls() -> dict[int, dict[str, float]]:
    print("polls …", file=sys.stderr, flush=True)
    return {size: _child("polling", size, _ROUNDS[size]) for size in SIZES}


def _size(size: int) -> dict[str, float]:
    print(f"{size} pipelines …", file=sys.stderr, flush=True)
    figures = _child("starting", size, 3)
    with tempfile.TemporaryDirectory() as folder:
        figures |= scraping.measure(size, _SCRAPE_ROUNDS[size], Path(folder))
        figures |= _child("registry", Path(folder) / "files/identity", _REGISTRY[size])
    with tempfile.TemporaryDirectory() as folder:
        figures["RSS while polled and scraped, MiB"] = scraping.memory(size, Path(folder))
    return figures


def _child(room: str, *arguments: object) -> dict[str, float]:
    """Run a room in a separate process: what one holds in memory must not slow another."""
    command = [sys.executable, str(HERE / f"{room}.py"), *map(str, arguments)]
    # Its exit status says what the figures say, too.
    output = subprocess.run(command, check=False, stdout=subprocess.PIPE).stdout
    figures: dict[str, float] = json.loads(output)
    return figures


def _print(results: Mapping[int, Mapping[str, float]], growth: Mapping[str, float]) -> None:
    width = max(map(len, results[SIZES[-1]]))
    print(f"{'pipelines':{width}} " + "".join(f"{size:>14,}" for size in SIZES) + f"{'exponent':>10}")
    for name in results[SIZES[-1]]:
        cells = (_cell(results[size][name]) for size in SIZES)
        power = f"{growth[name]:.2f}" if name in growth else ""
        print(f"{name:{width}} " + "".join(f"{cell:>14}" for cell in cells) + f"{power:>10}")


def _cell(value: Any) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())
