"""The demo's fleet, simulated through its past, so that its state is interesting from the first second on."""

from types import MappingProxyType
from typing import Final

from feldera_exporter.demo.clock import StagedClock
from feldera_exporter.micros import Micros, from_seconds
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.random_workload import RandomWorkload
from feldera_exporter.simulator.scenarios import SCENARIOS, begin
from feldera_exporter.simulator.versions import NEWEST

LEADS: Final = MappingProxyType(
    {
        "orders": 200,
        "payments": 190,
        "inventory": 150,
        "clickstream": 45,
        "fraud-scores": 64,  # it panicked four minutes ago
        "ledger": 47.75,  # fails in 15 seconds, is dismissed 45 later
        "search-index": 20.85,  # began to wait ten seconds ago, gets its resources in 55
        "big-join": 12.7,  # 40 s later a user starts it
        "no-capacity": 9,
        "schema-change": 21,  # awaits approval for 20 minutes, and gets it in ten
        "new-report": 16,
        "udf-model": 26,
        "huge-program": 50,
        "sensors": 33,
        "edge-events": 25,
        "sessions": 14,  # lost six minutes ago, back in 14
        "backfill-2025": 370,
        "recommendations": 55,
        "nightly-report": 20 + 1 / 6,  # is stopped in 20 seconds, started in 50
        "warehouse-sync": 20,
        "old-archive": 20.5,  # has been clearing for longer than it may
        "old-stream": 21,
        "metrics-rollup": 32,
        "ci-smoke": 20 + 5 / 6,  # is stopped in ten seconds, deleted in 40, back in 70
    }
)
"""How many minutes ago each scenario began."""

_PAST: Final = 60 * max(LEADS.values())
_RANDOM_PAST: Final = 3600
"""For how many seconds the random workload has run."""


def prepared_fleet(clock: StagedClock, seed: int, pipelines: int, version: str = NEWEST) -> Feldera:
    """Return an instance simulated up to the present, and release its clock, which stands at `beginning` of it.

    `pipelines` counts those of the random workload, besides those of scenarios.

    Raises:
        UnknownVersionError: this version is not supported.
    """
    feldera = Feldera(clock, seed, version=version)
    for scenario in SCENARIOS:
        feldera.later(_PAST - 60 * LEADS[scenario.name], begin, feldera, scenario)
    if pipelines:
        feldera.later(_PAST - _RANDOM_PAST, _start_workload, feldera, seed, pipelines)
    clock.release()
    feldera.settle()
    return feldera


def beginning(present: Micros) -> Micros:
    """Return when the simulation must begin for `LEADS` to hold at `present`."""
    return present - from_seconds(_PAST)


def _start_workload(feldera: Feldera, seed: int, pipelines: int) -> None:
    # At least one action every few seconds; each pipeline at most about once in two minutes.
    RandomWorkload(feldera, seed, size=pipelines, rate=0.2 + pipelines / 120, prefix="job")
