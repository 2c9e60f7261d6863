"""The edges of single conditions, which the scenarios that hold for all alerts do not reach, by alert."""

from collections.abc import Mapping
from typing import Final

from rules.age_edges import DISOWNED, DRIFTS, FROZEN, GONE, OTHERS, START
from rules.count_edges import (
    AGAIN,
    AWAY,
    CRASHES,
    ERRORS,
    ERRORS_TOTAL,
    PROGRAM,
    RESOURCES,
    RUNTIME,
    spread,
    yielding,
)
from rules.fleet_edges import FLEETS, INVENTORY, SPREAD
from rules.health_edges import ILL, UNTOLD
from rules.kept_edges import outlasting
from rules.scenarios import Scenario
from rules.shards import ABSENT_FOR_LONG, INTERVALS, SHARDS
from rules.tier_edges import TIERS
from rules.watch_edges import BEHIND, CLOCKS, REFUSALS, RELOAD, SKEW, STALE, UNREACHABLE, UNREAD

EDGES: Final[Mapping[str, tuple[Scenario, ...]]] = {
    "FelderaPipelineStuckProvisioning": (*GONE, *DISOWNED, *BEHIND, *SHARDS, *INTERVALS, *ABSENT_FOR_LONG),
    "FelderaPipelineDeploymentError": (*AGAIN, *TIERS),
    "FelderaPipelineUnavailable": AWAY,
    "FelderaPipelineStuck": OTHERS,
    "FelderaPipelineStartPending": START,
    "FelderaPipelineDesiredDrift": DRIFTS,
    "FelderaPipelineCrashLooping": (*spread("FelderaPipelineCrashLooping", ERRORS_TOTAL, 3), *CRASHES),
    "FelderaPipelineFlapping": (
        *spread("FelderaPipelineFlapping", RESOURCES, 6, ("from", "Stopping"), ("to", "Stopped")),
        *yielding("FelderaPipelineFlapping", RESOURCES, ("from", "Stopping"), ("to", "Stopped")),
    ),
    "FelderaPipelineRuntimeFlapping": (
        *spread("FelderaPipelineRuntimeFlapping", RUNTIME, 8, ("to", "Unavailable")),
        *yielding("FelderaPipelineRuntimeFlapping", RUNTIME, ("to", "Unavailable")),
    ),
    "FelderaPipelineCompileLooping": spread(
        "FelderaPipelineCompileLooping", PROGRAM, 3, ("from", "CompilingRust"), ("to", "SqlCompiled")
    ),
    "FelderaPipelineRunnerFrozen": FROZEN,
    "FelderaPipelineConnectorErrors": ERRORS,
    "FelderaFleetDegraded": (*FLEETS, *SPREAD),
    "FelderaPipelineInventoryDropped": INVENTORY,
    "FelderaClusterServiceUnhealthy": ILL,
    "FelderaClusterHealthStale": UNTOLD,
    "FelderaApiAuthFailed": REFUSALS,
    "FelderaApiUnreachable": UNREACHABLE,
    "FelderaExporterDataStale": (*STALE, *INTERVALS),
    "FelderaExporterClockSkew": (*SKEW, *CLOCKS),
    "FelderaEventLogUnread": UNREAD,
    "FelderaExporterUnknownStatus": (outlasting("FelderaExporterUnknownStatus"),),
    "FelderaExporterEventGap": (outlasting("FelderaExporterEventGap"),),
    "FelderaExporterConfigReloadFailed": RELOAD,
}
"""Scenarios by the alert that they are about."""
