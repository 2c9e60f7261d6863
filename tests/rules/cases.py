"""How each alert comes about: one case or more for every row of the table that is about a pipeline or an instance."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from rules.facts import DRIFT, LIMITS, NEVER, START_PENDING, Pipeline, fleet
from rules.platform_cases import PLATFORM
from rules.scenarios import ONSET, Case, switched
from rules.world import Samples, View


def _pipe(**facts: Any) -> View:
    known = fleet(Pipeline(**facts))
    return lambda _: known


def _counting(family: str, count: Callable[[float], float], *labels: tuple[str, str], **facts: Any) -> View:
    """Return a view of a pipeline with one counter that follows a function of the time."""
    return lambda now: fleet(Pipeline(counters={(family, labels): count(now)}, **facts))


def climbing(
    family: str, each: float, last: int, *labels: tuple[str, str], onset: int = ONSET
) -> tuple[View, View]:
    """Return views of a counter that takes its `last` step right after the onset, after one each `each` seconds."""
    first = onset + 1 - each * (last - 1)

    def count(now: float) -> float:
        return 0 if now < first else min((now - first) // each + 1, last)

    def before(now: float) -> float:
        return min(count(now), 1)

    return _counting(family, count, *labels), _counting(family, before, *labels)


HEALTHY: Final = _pipe()
STOPPED: Final = _pipe(status="Stopped", desired="Stopped")


def _stuck(name: str, status: str, **facts: Any) -> Case:
    view = _pipe(status=status, since=ONSET - LIMITS[status], **facts)
    return Case(name, view, HEALTHY, {"status": status}, variant=status)


def _program(name: str, status: str, limit: float) -> Case:
    view = _pipe(status="Stopped", desired="Stopped", program=status, program_since=ONSET - limit)
    return Case(name, view, STOPPED, {"status": status}, variant=status)


_ERRORS: Final = "feldera_pipeline_deployment_errors_total"
_RUNTIME: Final = "feldera_pipeline_deployment_runtime_status_transitions_total"
_RESOURCES: Final = "feldera_pipeline_deployment_resources_status_transitions_total"
_PROGRAM: Final = "feldera_pipeline_program_status_transitions_total"
_CONNECTORS: Final = "feldera_pipeline_connector_errors_total"


def _restarts(now: float) -> Samples:
    """A pod that dies each four minutes, after a start by a user: Initializing again, without an error."""
    entries = 1 + (now > 100) + (now > 200) + (now > ONSET)
    counters = {
        (_RUNTIME, (("to", "Initializing"),)): entries + 7.0,
        (_RESOURCES, (("from", "Provisioning"), ("to", "Provisioned"))): 1.0 + 7.0,
    }
    return fleet(Pipeline(counters=counters))


def _users(now: float) -> Samples:
    """The same number of initializations, each from a start by a user."""
    entries = 1.0 + (now > 100) + (now > 200) + (now > ONSET)
    counters = {
        (_RUNTIME, (("to", "Initializing"),)): entries,
        (_RESOURCES, (("from", "Provisioning"), ("to", "Provisioned"))): entries,
    }
    return fleet(Pipeline(counters=counters))


def _connectors(now: float) -> Samples:
    began = -5000
    return fleet(Pipeline(counters={(_CONNECTORS, ()): max(0.0, now - began)}))


LIFECYCLE: Final = (
    _stuck("FelderaPipelineStuckProvisioning", "Provisioning"),
    Case(
        "FelderaPipelineDeploymentError",
        switched(HEALTHY, _pipe(status="Stopped", desired="Stopped", error="RunnerCheckError"), ONSET + 1),
        STOPPED,
        known_before=False,
    ),
    _stuck("FelderaPipelineStuckStopping", "Stopping", desired="Stopped"),
    _stuck("FelderaPipelineStuckInitializing", "Initializing"),
    _stuck("FelderaPipelineUnavailable", "Unavailable", desired="Unavailable"),
    _stuck("FelderaPipelineAwaitingApproval", "AwaitingApproval"),
    _stuck("FelderaPipelineBootstrappingLong", "Bootstrapping"),
    _stuck("FelderaPipelineBootstrappingLong", "ConcurrentBootstrapping"),
    _stuck("FelderaPipelineReplayingLong", "Replaying"),
    _stuck("FelderaPipelineStuckSynchronizing", "Synchronizing"),
    _stuck("FelderaPipelineImpossibleState", "Suspended"),
    _stuck("FelderaPipelineImpossibleState", "Coordination"),
    Case(
        "FelderaPipelineStuck",
        _pipe(status="Paused", desired="Paused", since=ONSET - 600, own_limit=600),
        HEALTHY,
        {"status": "Paused"},
    ),
    Case(
        "FelderaPipelineStartPending",
        _pipe(status="Stopped", desired_since=ONSET - START_PENDING),
        HEALTHY,
        {"status": "Stopped"},
    ),
    Case(
        "FelderaPipelineDesiredDrift",
        _pipe(status="Running", desired="Paused", desired_since=ONSET - DRIFT),
        HEALTHY,
        {"status": "Running"},
    ),
    Case(
        "FelderaPipelineUnexpectedlyStopped",
        _pipe(
            status="Stopped",
            desired="Stopped",
            since=ONSET - 600,
            tags={"team": "data", "tier": "gold", "expect": "running"},
        ),
        HEALTHY,
        {"status": "Stopped"},
        info_matters=True,
    ),
    Case(
        "FelderaPipelineCrashLooping",
        *climbing(_ERRORS, 700, 3, onset=1500),
        known_before=False,
        lasts=3600,
        onset=1500,
        variant="errors",
    ),
    Case(
        "FelderaPipelineCrashLooping", _restarts, _users, known_before=False, lasts=3600, variant="restarts"
    ),
    Case(
        "FelderaPipelineFlapping",
        *climbing(_RESOURCES, 100, 6, ("from", "Stopping"), ("to", "Stopped"), onset=600),
        known_before=False,
        lasts=3600,
        onset=600,
    ),
    Case(
        "FelderaPipelineRuntimeFlapping",
        *climbing(_RUNTIME, 60, 8, ("to", "Unavailable"), onset=600),
        known_before=False,
        lasts=3600,
        onset=600,
    ),
)


def _versions(stops: float) -> View:
    """Return a view of a pipeline that the runner refreshes each minute, until it stops doing so."""
    return lambda now: fleet(Pipeline(refresh=min(now, stops) // 60))


FROZEN: Final = Case(
    "FelderaPipelineRunnerFrozen",
    _versions(stops=300),
    _versions(stops=NEVER),
    onset=1185,
    known_before=False,
    earlier=_pipe(refresh=3),
)

CONNECTORS: Final = Case(
    "FelderaPipelineConnectorErrors",
    _connectors,
    _counting(_CONNECTORS, lambda _: 0),
    onset=1245,
    known_before=False,
    lasts=1800,
    pod_matters=True,
)

CLEARING: Final = Case(
    "FelderaPipelineStorageClearingStuck",
    _pipe(status="Stopped", desired="Stopped", storage="Clearing", storage_since=ONSET - LIMITS["Clearing"]),
    STOPPED,
    {"status": "Clearing"},
)

PROGRAMS: Final = (
    _program("FelderaPipelineCompileFailed", "SqlError", 300),
    _program("FelderaPipelineCompileFailed", "RustError", 300),
    _program("FelderaPipelineCompileSystemError", "SystemError", 60),
    *(
        _program("FelderaPipelineCompileStuck", status, LIMITS[status])
        for status in ("Pending", "CompilingSql", "SqlCompiled", "CompilingRust")
    ),
    Case(
        "FelderaPipelineCompileLooping",
        *climbing(_PROGRAM, 250, 3, ("from", "CompilingRust"), ("to", "SqlCompiled"), onset=600),
        known_before=False,
        lasts=3600,
        onset=600,
    ),
)


def _named() -> dict[str, tuple[Case, ...]]:
    """Return the cases by alert; of several the first goes through everything."""
    found: dict[str, tuple[Case, ...]] = {}
    for case in (*LIFECYCLE, FROZEN, CONNECTORS, *PROGRAMS, CLEARING, *PLATFORM):
        before = found.get(case.name, ())
        brief = bool(before)
        found[case.name] = (*before, replace(case, brief=brief))
    return found


CASES: Final = _named()
"""The cases of every alert that is about a pipeline or an instance, by its name."""
