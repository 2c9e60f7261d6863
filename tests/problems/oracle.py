"""The expected problems, computed from the complete record of the simulation, without the exporter's code."""

from collections.abc import Iterable
from typing import Final

from feldera_exporter.simulator.pipeline import SimulatedPipeline
from support.ground_truth import COMBINED, Life, RecordedFeldera, Transition

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE

PROGRAM: Final = "program_status"
RESOURCES: Final = "deployment_resources_status"
RUNTIME: Final = "deployment_runtime_status"
STORAGE: Final = "storage_status"

LIMITS: Final = {
    "Provisioning": ("StuckProvisioning", 10 * MINUTE),
    "Stopping": ("StuckStopping", 15 * MINUTE),
    "Initializing": ("StuckInitializing", 20 * MINUTE),
    "Unavailable": ("Unavailable", 5 * MINUTE),
    "AwaitingApproval": ("AwaitingApproval", 15 * MINUTE),
    "Bootstrapping": ("BootstrappingLong", 6 * HOUR),
    "ConcurrentBootstrapping": ("BootstrappingLong", 6 * HOUR),
    "Replaying": ("ReplayingLong", 2 * HOUR),
    "Synchronizing": ("StuckSynchronizing", 15 * MINUTE),
    "Coordination": ("ImpossibleState", 10 * MINUTE),
    "Suspended": ("ImpossibleState", 10 * MINUTE),
    "Pending": ("CompileStuck", HOUR),
    "CompilingSql": ("CompileStuck", 30 * MINUTE),
    "SqlCompiled": ("CompileStuck", HOUR),
    "CompilingRust": ("CompileStuck", HOUR),
    "Clearing": ("StorageClearingStuck", 15 * MINUTE),
}
"""By status, the problem that it is and from what age on: one that has a limit."""

BROKEN: Final = {
    "SqlError": ("CompileFailed", 5 * MINUTE),
    "RustError": ("CompileFailed", 5 * MINUTE),
    "SystemError": ("CompileSystemError", MINUTE),
}
"""The same of programs that are broken."""

KNOWN: Final = frozenset(
    {problem for problem, _ in (*LIMITS.values(), *BROKEN.values())}
    | {"DeploymentError", "CrashLooping", "Flapping", "RuntimeFlapping", "CompileLooping"}
    | {"UnexpectedlyStopped", "RunnerFrozen", "FleetDegraded"}
)
"""The names of the problems that the oracle knows."""

Key = tuple[str, str]
"""A problem and its label."""

Found = dict[tuple[str, str, str], int | None]
"""By pipeline (none for the instance), problem and label, since when it counts where one status decides."""


class Oracle:
    """Finds the problems of an instance after each list, as some depend on the list."""

    def __init__(self, feldera: RecordedFeldera) -> None:
        self._feldera = feldera
        self._refreshed: dict[str, tuple[int, int]] = {}
        self._degraded = False

    def problems(self, now: int) -> Found:
        """Return what is wrong at an instant."""
        pipelines = self._feldera.pipelines()
        found: Found = {}
        for pipeline in pipelines:
            life = self._feldera.truth[pipeline.id]
            known = statuses(life, now) | counts(life, now) | self._row(pipeline, now)
            if ("CrashLooping", "") in known:
                known = {key: since for key, since in known.items() if key[0] not in YIELDING}
            found |= {(pipeline.id, *key): since for key, since in known.items()}
        most = max(4.5, 0.1 * len(pipelines)) * (0.6 if self._degraded else 1)
        self._degraded = sum(fails(self._feldera.truth[each.id], now) for each in pipelines) > most
        return found | ({("", "FleetDegraded", ""): None} if self._degraded else {})

    def _row(self, pipeline: SimulatedPipeline, now: int) -> dict[Key, int | None]:
        row = pipeline.row
        version, at = self._refreshed.get(pipeline.id, (row.refresh_version, now))
        if version != row.refresh_version:
            at = now
        self._refreshed[pipeline.id] = row.refresh_version, at
        frozen = max(at, row.resources_since) + 15 * MINUTE
        stopped = max(row.status_since, row.desired_since) + 10 * MINUTE
        expected = "expect:running" in row.tags and row.status == row.desired == "Stopped"
        return {
            key: since
            for key, since, holds in (
                (("RunnerFrozen", ""), frozen, row.resources == "Provisioned"),
                (("UnexpectedlyStopped", "Stopped"), stopped, expected),
            )
            if holds and since <= now
        }


YIELDING: Final = ("Flapping", "RuntimeFlapping")
"""The problems that CrashLooping hides."""


def present(life: Life, dimension: str) -> tuple[str | None, int]:
    """Return the present status, and since when."""
    transitions = life.of(dimension)
    return (
        (transitions[-1].after, transitions[-1].at)
        if transitions
        else (life.born[dimension], life.created_at)
    )


def statuses(life: Life, now: int) -> dict[Key, int | None]:
    """Return what is wrong with how long a status has lasted, or was most of the time."""
    found: dict[Key, int | None] = {}
    for dimension in (COMBINED, PROGRAM, STORAGE):
        status, since = present(life, dimension)
        problem, limit = (LIMITS | BROKEN).get(status or "", ("", 0))
        if problem and since + limit <= now:
            found[problem, status or ""] = since + limit
    away = sum(
        max(0, end - max(begin, now - 15 * MINUTE))
        for status, begin, end in life.intervals(now)
        if status == "Unavailable"
    )
    if away > 7.5 * MINUTE and present(life, RESOURCES)[0] == "Provisioned":
        found["Unavailable", "Unavailable"] = None
    return found


def counts(life: Life, now: int) -> dict[Key, int | None]:
    """Return what is wrong with how often something happened; an error counts for as long as it is set."""

    def often(instants: Iterable[int], count: int, window: int = HOUR) -> bool:
        return sum(now - window < at <= now for at in instants) >= count

    resources, runtime = life.of(RESOURCES), life.of(RUNTIME)
    deployed = {each.at for each in resources}
    errors = [edge.at for edge in life.appeared]
    restarts = [each.at for each in runtime if each.after == "Initializing" and each.at not in deployed]
    return {
        (problem, ""): None
        for problem, holds in (
            ("DeploymentError", is_failed(life) or often(errors, 2, 10 * MINUTE)),
            ("CrashLooping", often(errors, 3) or often(restarts, 3)),
            ("Flapping", often(went(resources, "Stopping", "Stopped"), 6)),
            ("RuntimeFlapping", often([each.at for each in runtime if each.after == "Unavailable"], 8)),
            ("CompileLooping", often(went(life.of(PROGRAM), "CompilingRust", "SqlCompiled"), 3)),
        )
        if holds
    }


def went(transitions: Iterable[Transition], before: str, after: str) -> list[int]:
    """Return when one status became another."""
    return [each.at for each in transitions if (each.before, each.after) == (before, after)]


def is_failed(life: Life) -> bool:
    """Return whether an error is set."""
    return bool(life.errors) and life.errors[-1].code is not None


def fails(life: Life, now: int) -> bool:
    """Return whether a pipeline counts toward a degraded fleet."""
    status, since = present(life, COMBINED)
    limits = {"Provisioning": 10, "Initializing": 20, "Stopping": 15, "Unavailable": 2}
    failed = is_failed(life) and now - HOUR < life.errors[-1].at
    return failed or (status in limits and since + limits[status] * MINUTE <= now)
