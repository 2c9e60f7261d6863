"""The gate: within seconds, whether what a poll costs is still in proportion; it ends with 1 where it is not.

Only ratios within one process are judged, each of the least of several rounds: what else the machine does falls out.
"""

import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "exporter")]

import msgspec  # noqa: E402 - see above

from benchmarks.measuring import cpu  # noqa: E402 - see above
from benchmarks.polling import PolledInstance  # noqa: E402 - see above
from benchmarks.verdicts import BoundedRatio  # noqa: E402 - see above
from feldera_exporter.feldera.wire import Row  # noqa: E402 - see above
from feldera_exporter.polling import gc_tuning  # noqa: E402 - see above

SIZE: Final = 3000
ROUNDS: Final = 8


def figures() -> dict[str, float]:
    """Return the least milliseconds of CPU of each thing."""
    decoder = msgspec.json.Decoder(list[Row])
    gc_tuning.collect_rarely()
    polled = PolledInstance(SIZE)
    polled.poll()
    polled.settle()
    limited = PolledInstance(SIZE, provisioning=True)
    limited.poll()
    limited.settle()
    gc_tuning.freeze_long_lived()
    polled.compress()
    body = polled.pipelines.body()
    found: dict[str, list[float]] = {}

    def note(name: str, cost: float) -> None:
        found.setdefault(name, []).append(cost)

    for _ in range(ROUNDS):
        note("decode", cpu(lambda: decoder.decode(body)))
        note("gzip of all", polled.compress_all())
        polled.poll()
        note("nothing", polled.cost)
        note("gzip of nothing", polled.compress())
        polled.happen(0.01)
        polled.poll()
        note("1 %", polled.cost)
        note("gzip of 1 %", polled.compress())
        polled.poll()
        limited.happen(0.01)
        limited.poll()
        note("1 %, all have a limit", limited.cost)
        limited.poll()
        polled.pipelines.report(0.5)
        polled.poll()
        note("reports", polled.cost)
        polled.compress()
    return {name: min(costs) for name, costs in found.items()}


def verdicts(figures: dict[str, float]) -> list[BoundedRatio]:
    """Judge: the bounds are those of the benchmark, with room for a fleet that is smaller than its."""

    def ratio(name: str, base: str, bound: float) -> BoundedRatio:
        return BoundedRatio(f"{name} / {base}", figures[name] / figures[base], bound)

    return [
        ratio("nothing", "decode", 1.0),
        ratio("1 %", "decode", 3.0),
        ratio("1 %, all have a limit", "decode", 3.5),
        ratio("reports", "decode", 6.0),
        ratio("gzip of nothing", "gzip of all", 0.15),
        ratio("gzip of 1 %", "gzip of all", 0.25),
    ]


def main() -> int:
    """Print every ratio; return 1 if one is beyond its bound."""
    judged = verdicts(figures())
    for verdict in judged:
        print(verdict)
    return 0 if all(verdict.holds for verdict in judged) else 1


if __name__ == "__main__":
    sys.exit(main())
