"""The edges of conditions about a fleet: how many pipelines, of how many, since when."""

from collections.abc import Mapping
from typing import Any, Final

from rules.edge import of_instance, of_pipeline
from rules.facts import LIMITS, Pipeline, fleet
from rules.scenarios import Firing, Scenario, unreachable
from rules.world import INSTANCE, Samples, View, crowd, exporter

AT: Final = 900
"""The second at which they are looked at; what they rest on began long before."""


def _many(count: int, listed: int, **facts: Any) -> View:
    known = fleet(*(Pipeline(f"p{n}", **facts) for n in range(count)), listed=listed)
    return lambda _: known


def _each(name: str, cell: str, count: int, **labels: str) -> tuple[Firing, ...]:
    common = dict(of_pipeline(name, cell, **labels)[1])
    return tuple(
        (name, common | {"pipeline": f"pipeline-p{n}", "pipeline_name": f"p{n}"}) for n in range(count)
    )


def _failed(since: float) -> Mapping[str, Any]:
    return {"status": "Stopped", "desired": "Stopped", "error": "RunnerCheckError", "error_since": since}


_STUCK: Final = {
    "Provisioning": "FelderaPipelineStuckProvisioning",
    "Initializing": "FelderaPipelineStuckInitializing",
    "Stopping": "FelderaPipelineStuckStopping",
}
_DEGRADED: Final = "FelderaFleetDegraded"
_ERROR: Final = "FelderaPipelineDeploymentError"


def _fewer(now: float) -> Samples:
    """Five failing pipelines of twenty from 300 on, four from 600 on, then three and two."""
    failing = 0 if now < 300 else 5 - min(int(now - 300) // 300, 3)
    return fleet(
        *(Pipeline(f"p{n}", **(_failed(AT - 900) if n < failing else {})) for n in range(5)), listed=20
    )


def _still(count: int) -> tuple[Firing, ...]:
    return of_instance(_DEGRADED), *_each(_ERROR, INSTANCE, count)


FLEETS: Final = (
    Scenario(
        "fewer suffice while it is said so: more than half as many",
        (exporter(_fewer),),
        {
            285: (),
            300: _still(5),
            600: _still(4),
            885: _still(4),
            1185: _still(3),
            1200: _each(_ERROR, INSTANCE, 2),
        },
    ),
    Scenario(
        "what counts as failing, and how many are many",
        (
            crowd(
                {
                    status: _many(5, 40, status=status, desired="Running", since=AT - 3600.0)
                    for status in _STUCK
                }
                | {
                    f"{status} to its limit": _many(5, 40, status=status, since=float(AT - LIMITS[status]))
                    for status in _STUCK
                }
                | {
                    "recent errors": _many(5, 40, **_failed(AT - 2700)),
                    "errors of an hour ago": _many(5, 40, **_failed(AT - 3600)),
                    "errors of hours ago": _many(5, 40, **_failed(AT - 5000)),
                    "away": _many(5, 40, status="Unavailable", desired="Unavailable", since=AT - 135.0),
                    "away for two minutes": _many(
                        5, 40, status="Unavailable", desired="Unavailable", since=AT - 120.0
                    ),
                    "four": _many(4, 20, **_failed(AT - 60)),
                    "a tenth": _many(5, 50, **_failed(AT - 60)),
                    "few of many": _many(5, 80, **_failed(AT - 60)),
                }
            ),
        ),
        {
            AT: (
                *(of_instance(_DEGRADED, cell) for cell in (*_STUCK, "recent errors", "away")),
                *(
                    fired
                    for status, name in _STUCK.items()
                    for fired in _each(name, status, 5, status=status)
                ),
                *(
                    fired
                    for cell, count in (
                        ("recent errors", 5),
                        ("errors of an hour ago", 5),
                        ("errors of hours ago", 5),
                        ("four", 4),
                        ("a tenth", 5),
                        ("few of many", 5),
                    )
                    for fired in _each(_ERROR, cell, count)
                ),
            )
        },
    ),
)


def _failing(_: float) -> Samples:
    return fleet(*(Pipeline(f"p{n}", **_failed(300)) for n in range(5)), listed=40)


def _well(_: float) -> Samples:
    return fleet(Pipeline("q"), listed=40)


_ALL: Final = (of_instance(_DEGRADED), *_each(_ERROR, INSTANCE, 5))
_OUT: Final = (*_ALL, unreachable(), unreachable("FelderaExporterDataStale"))

SPREAD: Final = (
    Scenario(
        "pipelines of several shards, one of which is out of sight",
        (
            exporter(_failing, outage=(600, 3000), shard="0/2"),
            exporter(_well, instance="b:10058", shard="1/2"),
        ),
        {585: _ALL, 660: _ALL, 1200: _OUT, 2985: _OUT, 3000: _ALL},
    ),
)


def _shrinking(before: int, after: int, at: float = 300) -> View:
    return lambda now: fleet(listed=before if now <= at else after)


_DROPPED: Final = "FelderaPipelineInventoryDropped"

INVENTORY: Final = (
    Scenario(
        "how many must be gone, and of how many",
        (
            crowd(
                {
                    "a quarter": _shrinking(20, 15),
                    "half": _shrinking(20, 10),
                    "of nine": _shrinking(9, 4),
                    "of ten": _shrinking(10, 4),
                }
            ),
        ),
        {1200: (of_instance(_DROPPED, "of ten"),), 3600: (of_instance(_DROPPED, "of ten"),), 4200: ()},
    ),
)
