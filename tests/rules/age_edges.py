"""The edges of conditions about ages: each age by itself, and statuses that are another alert's."""

from typing import Final

from rules.edge import boundary, of_pipeline, steady
from rules.facts import DRIFT, NEVER, START_PENDING, Pipeline, fleet
from rules.scenarios import Scenario, unreachable
from rules.world import STEP, Samples, Target, crowd, exporter

START: Final = tuple(
    boundary(
        "FelderaPipelineStartPending",
        600,
        steady(**{"status": "Stopped", age: 600 - START_PENDING}),
        status="Stopped",
    )
    for age in ("since", "desired_since", "program_since")
)

_BROKEN: Final = of_pipeline("FelderaPipelineCompileFailed", "stopped, program broken", status="SqlError")

DRIFTS: Final = (
    *(
        boundary(
            "FelderaPipelineDesiredDrift",
            600,
            steady(desired="Paused", **{age: 600 - DRIFT}),
            status="Running",
        )
        for age in ("since", "desired_since")
    ),
    Scenario(
        "what differs is what the exporter says, whatever the statuses",
        (
            crowd(
                {
                    "rising, to be stopped": steady(status="Bootstrapping", since=0.0, desired="Stopped"),
                    "stopped, program broken": steady(status="Stopped", since=0.0, program="SqlError"),
                    "stopping, to be started": steady(status="Stopping", since=0.0, own_limit=NEVER),
                    "rising, to be started": steady(status="Bootstrapping", since=0.0),
                    "stopped, compiling": steady(
                        status="Stopped", since=0.0, program="SqlCompiled", program_since=0.0
                    ),
                    "limit none": steady(desired="Paused", since=0.0, own_desired_limit=NEVER),
                    "longer limit": steady(desired="Paused", since=0.0, own_desired_limit=2 * DRIFT),
                }
            ),
        ),
        {
            int(DRIFT): (_BROKEN,),
            int(DRIFT) + STEP: (
                _BROKEN,
                *(
                    of_pipeline("FelderaPipelineDesiredDrift", cell, status=status)
                    for cell, status in (
                        ("rising, to be stopped", "Bootstrapping"),
                        ("stopped, program broken", "Stopped"),
                        ("stopping, to be started", "Stopping"),
                    )
                ),
            ),
        },
    ),
    Scenario(
        "a start that is pending is no drift",
        (exporter(steady(status="Stopped", since=0.0)),),
        {
            int(DRIFT) + STEP: (of_pipeline("FelderaPipelineStartPending", status="Stopped"),),
        },
    ),
)


_OWN: Final = {
    "Provisioning": "FelderaPipelineStuckProvisioning",
    "Stopping": "FelderaPipelineStuckStopping",
    "Initializing": "FelderaPipelineStuckInitializing",
    "Unavailable": "FelderaPipelineUnavailable",
    "AwaitingApproval": "FelderaPipelineAwaitingApproval",
    "Bootstrapping": "FelderaPipelineBootstrappingLong",
    "ConcurrentBootstrapping": "FelderaPipelineBootstrappingLong",
    "Replaying": "FelderaPipelineReplayingLong",
    "Synchronizing": "FelderaPipelineStuckSynchronizing",
    "Suspended": "FelderaPipelineImpossibleState",
    "Coordination": "FelderaPipelineImpossibleState",
}

OTHERS: Final = (
    Scenario(
        "statuses that have an alert of their own raise that one alone",
        (crowd({status: steady(status=status) for status in _OWN}),),
        {600: tuple(of_pipeline(name, status, status=status) for status, name in _OWN.items())},
    ),
)


def _deleted(now: float) -> Samples:
    """A pipeline stuck in provisioning that is deleted at 615."""
    return fleet(Pipeline(status="Provisioning", since=-600)) if now < 615 else fleet()


_LEFT: Final = (of_pipeline("FelderaPipelineStuckProvisioning", status="Provisioning"),)

GONE: Final = (
    Scenario(
        "a deleted pipeline that a frozen replica still shows is forgotten after five minutes",
        (exporter(_deleted), exporter(_deleted, instance="b:10058", frozen=600)),
        {600: _LEFT, 885: _LEFT, 1110: (), 1500: ()},
    ),
)

FROZEN: Final = (
    Scenario(
        "a pipeline that was deployed a moment ago",
        (exporter(steady(refresh=3.0, since=300.0)),),
        {1200: (), 1215: (of_pipeline("FelderaPipelineRunnerFrozen"),)},
    ),
    Scenario(
        "scrapes that were missed a quarter of an hour ago",
        (exporter(steady(refresh=3.0), down=[(300, 390)]),),
        {at: (of_pipeline("FelderaPipelineRunnerFrozen"),) for at in (1230, 1260, 1275)},
    ),
)


def _disowned(now: float) -> Samples:
    """An exporter whose Feldera is out of reach from 300 and taken out of its configuration at 600."""
    stuck = steady(status="Provisioning", since=-600)
    told = exporter(stuck, outage=(300, 10_000)).scrape(now) or {}
    return told if now < 600 else {key: value for key, value in told.items() if not dict(key[1])}


_HIDDEN: Final = unreachable()
_OLD: Final = unreachable("FelderaExporterDataStale")

DISOWNED: Final = (
    Scenario(
        "an instance that is taken out of the configuration during an outage is forgotten after three minutes",
        (Target("a:10058", _disowned),),
        {585: (*_LEFT, _HIDDEN), 750: (*_LEFT, _HIDDEN, _OLD), 780: (), 1200: ()},
        alone=True,  # what is forgotten is held while scrapes of any exporter are missed
    ),
)
