"""What each panel of each board shows in the scenarios of the world: the API down, a service unwell, and so on.

A number is exact, a pair is the least and the greatest that it may be; a text is that of a table's cell.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from platform import python_version
from types import MappingProxyType
from typing import Final

from boards.colours import SEVERITIES
from boards.world import LEFT, PARTS, SKEW, World
from feldera_exporter import __version__
from feldera_exporter.feldera.vocabulary import DEPLOYMENT, PROGRAM, RESOURCES, STORAGE, Dimension
from feldera_exporter.simulator.stories import STORIES

Value = float | tuple[float, float] | str
Shown = Mapping[str, Value]


@dataclass(frozen=True)
class Legends:
    """What a panel shows under a choice of variables, by the legends of its series; `a` and `b` are replicas.

    Attributes:
        of: what it is, or how the world tells it.
        choice: variables; a pipeline by its name.
        only: whether nothing else is there.
    """

    of: Shown | Callable[[World], Shown]
    choice: Mapping[str, str] = field(default_factory=dict)
    only: bool = True


@dataclass(frozen=True)
class Rows:
    """What a table shows under a choice of variables.

    Attributes:
        column: tells the rows apart.
        of: what is in some columns of each row.
        choice: variables; a pipeline by its name.
        only: whether no other row is there.
    """

    column: str
    of: Mapping[str, Shown]
    choice: Mapping[str, str] = field(default_factory=dict)
    only: bool = False


Panel = tuple[str, str]
"""A board's name and a panel's title."""

GONE: Final = {"feldera_instance": "gone"}
EDGE: Final = {"feldera_instance": "edge"}
SPLIT: Final = {"feldera_instance": "split"}
MINUTE: Final = {"__rate_interval": "60s", "__range": "60s"}
_NOTHING: Final = Legends({}, GONE)
_SOME: Final = (0.000001, 1e9)
_STUCK: Final = ("big-join", "old-archive", "old-stream", "schema-change", "backfill-2025", "sessions")


def _code(dimension: Dimension, status: str) -> float:
    return list(dimension.statuses).index(status)


def _pipeline(name: str) -> Mapping[str, str]:
    return {"pipeline": name}


def _replicas(value: Value, text: str = "{}: default") -> Shown:
    return {text.format(name): value for name in ("a", "b")}


def _exporters(value: Value, text: str = "{}") -> Shown:
    return {text.format(name): value for name in ("a", "b", "0", "1")}


def _severities(instance: str) -> Callable[[World], Shown]:
    def told(world: World) -> Shown:
        mine = (each for each in world.alerts() if each.get("feldera_instance", instance) == instance)
        counted = Counter(each["severity"] for each in mine)
        return {name: counted[name] for name, _ in SEVERITIES.values()}

    return told


def _running(world: World) -> Shown:
    rows = [each.row for each in world.feldera.pipelines()]
    return {
        "running": sum(row.status == "Running" for row in rows),
        "meant to": sum(row.desired == "Running" for row in rows),
    }


def _failed(world: World) -> Shown:
    return {"failed": sum(each.row.error is not None for each in world.feldera.pipelines())}


def _deployments(world: World) -> Shown:
    return Counter(each.row.status for each in world.feldera.pipelines())


def _programs(world: World) -> Shown:
    return Counter(each.row.program_status for each in world.feldera.pipelines())


_FLEET: Final[dict[str, tuple[Legends | Rows, ...]]] = {
    "Firing alerts": (Legends(_severities("default")), Legends(_severities("edge"), EDGE)),
    "Running": (Legends(_running), Legends({"running": 0, "meant to": 1}, EDGE), _NOTHING),
    "Failed": (Legends(_failed), Legends({"failed": 0}, EDGE), Legends({"failed": len(PARTS)}, SPLIT), _NOTHING),
    "Stuck": (Legends({"stuck": len(_STUCK)}), Legends({"stuck": 0}, EDGE), _NOTHING),
    "Need a person": (Legends({"waiting": 1}), Legends({"waiting": 0}, EDGE), _NOTHING),
    "Data age": (
        Legends({"default": (-1, 5)}),
        Legends({"gone": (10, 90)}, GONE),
        Legends({"split": (-1, 5)}, SPLIT),
    ),
    "Pipelines in trouble": (
        Rows(
            "Pipeline",
            {
                "big-join": {
                    "Severity": 3,
                    "What": "deployment",
                    "Status": "Provisioning",
                    "For": (600, 900),
                    "Of limit": (1, 1.5),
                    "Alert": "FelderaPipelineStuckProvisioning",
                    "Deployment": "Provisioning",
                    "Desired": "Running",
                    "Program": "Success",
                    "Team": "data",
                    "Instance": "default",
                },
                "old-archive": {
                    "Severity": 2,
                    "What": "storage",
                    "Status": "Clearing",
                    "For": (900, 1200),
                    "Of limit": (1, 1.4),
                    "Alert": "FelderaPipelineStorageClearingStuck",
                    "Deployment": "Stopped",
                },
                "warehouse-sync": {
                    "Severity": 3,
                    "Status": "Stopped",
                    "For": (600, 1200),
                    "Of limit": 0,
                    "Alert": "FelderaPipelineUnexpectedlyStopped",
                },
                "fraud-scores": {"Error": "RuntimeError.WorkerPanic", "Alert": "FelderaPipelineDeploymentError"},
                "udf-model": {"Program": "RustError"},
            },
        ),
        Rows("Pipeline", {}, EDGE, only=True),
        # Its state is forgotten, but the alert that fired is not.
        Rows(
            "Pipeline",
            {"far-away": {"Severity": 2, "Alert": "FelderaPipelineDeploymentError"}},
            GONE,
            only=True,
        ),
    ),
    "Firing alerts in detail": (
        Rows(
            "Pipeline",
            {
                "big-join": {
                    "Severity": 3,
                    "Alert": "FelderaPipelineStuckProvisioning",
                    "Status": "Provisioning",
                    "Active for": (0, 90),
                    "Team": "data",
                },
            },
        ),
        Rows(
            "Alert",
            {
                "FelderaExporterClockSkew": {"Severity": 2, "Instance": "edge"},
                "FelderaExporterUnknownStatus": {"Severity": 2, "Instance": "edge"},
                "FelderaLicenseExpiryImminent": {"Severity": 3, "Instance": "edge"},
                "FelderaExporterConfigReloadFailed": {"Severity": 2, "Active for": (0, 90)},
            },
            EDGE,
        ),
    ),
    "Pipelines by status": (Legends(_deployments), Legends({"Dreaming": 1}, EDGE), _NOTHING),
    "New errors by code": (
        Legends({"RuntimeError.WorkerPanic": (0.9, 1.2)}, MINUTE, only=False),
        # Each shard counts its own; the greatest of them would be fewer.
        Legends({"RuntimeError.WorkerPanic": (0.9 * len(PARTS), 1.2 * len(PARTS))}, {**SPLIT, **MINUTE}),
    ),
    "Programs by status": (Legends(_programs), Legends({"Success": 1}, EDGE), _NOTHING),
    "Transitions": (
        Legends(
            dict.fromkeys(("Stopping", "Stopped", "Provisioning"), (0.9, 1.3)),
            {**_pipeline("inventory"), **MINUTE},
            only=False,
        ),
    ),
    "Deployment status": (
        Legends(
            {
                "big-join (default)": _code(DEPLOYMENT, "Provisioning"),
                "old-archive (default)": _code(DEPLOYMENT, "Stopped"),
                "old-stream (default)": _code(DEPLOYMENT, "Stopping"),
                "warehouse-sync (default)": _code(DEPLOYMENT, "Stopped"),
            },
            only=False,
        ),
        Legends({"sensor-hub (edge)": len(DEPLOYMENT.statuses)}, EDGE),
    ),
    "Program status": (
        Legends({"udf-model (default)": _code(PROGRAM, "RustError")}, only=False),
        Legends({"sensor-hub (edge)": _code(PROGRAM, "Success")}, EDGE),
    ),
    "How long transient statuses last": (
        Rows(
            "Status",
            {
                "Stopping": {"Median": (0, 10), "95 %": (0, 10), "Ended": (1.8, 6)},
                "Provisioning": {"Limit": 600},
                "Clearing": {"Limit": 900},
            },
            MINUTE,
        ),
    ),
    "Duration of transient statuses, 95 %": (
        Legends({"Stopping": (0, 10), "limit of Provisioning": 600, "limit of Clearing": 900}, MINUTE, only=False),
    ),
    "Feldera's API and services": (
        Legends({f"default: {name}": 1 for name in ("answers", "api", "compiler", "runner")}),
        Legends({"edge: answers": 1, "edge: api": 1, "edge: runner": 1, "edge: compiler": 0}, EDGE),
        Legends({"gone: answers": 0}, GONE, only=False),
    ),
    "Age of the health checks": (
        Legends({f"default: {name}": (0, 660) for name in ("api", "compiler", "runner")}),
        Legends({f"edge: {name}": (-SKEW - 5, 90 - SKEW) for name in ("api", "compiler", "runner")}, EDGE),
    ),
    "Health unchanged for": (
        Legends({f"default: {name}": (3600, 1e6) for name in ("api", "compiler", "runner")}),
        Legends({"edge: api": (3000, 3700), "edge: compiler": (-SKEW - 5, 90 - SKEW)}, EDGE, only=False),
    ),
    "License ends in": (
        Legends({"default": (300 * 86_400, 366 * 86_400)}),
        Legends({"edge": (LEFT - 90, LEFT)}, EDGE),
    ),
    "License": (Legends({"default": 1}), Legends({"split": 0}, SPLIT)),
    "Instances": (
        Rows(
            "Instance",
            {
                "default": {
                    "Version": "0.375.0",
                    "Edition": "Enterprise",
                    "Tenant": "default",
                    "Pipelines": (len(STORIES) - 1, len(STORIES)),
                }
            },
            only=True,
        ),
        Rows("Instance", {"split": {"Pipelines": len(PARTS)}}, SPLIT, only=True),
    ),
}  # fmt: skip

_PIPELINE: Final[dict[str, tuple[Legends | Rows, ...]]] = {
    "Status": (
        Legends({"status": _code(DEPLOYMENT, "Provisioning")}, _pipeline("big-join")),
        Legends({"status": len(DEPLOYMENT.statuses)}, {**EDGE, **_pipeline("sensor-hub")}),
    ),
    "Desired": (Legends({"desired": _code(DEPLOYMENT, "Running")}, _pipeline("big-join")),),
    "Program": (Legends({"program": _code(PROGRAM, "RustError")}, _pipeline("udf-model")),),
    "Storage": (Legends({"storage": _code(STORAGE, "Clearing")}, _pipeline("old-archive")),),
    "Error": (
        Legends({"RuntimeError.WorkerPanic": 1}, _pipeline("payments")),
        Legends({}, _pipeline("orders")),
    ),
    "Error for": (Legends({"error": (5, 90)}, _pipeline("payments")), Legends({}, _pipeline("orders"))),
    "Failed": (Legends({"failed": 1}, _pipeline("payments")), Legends({"failed": 0}, _pipeline("orders"))),
    "In this status for": (
        Legends(
            {"deployment": (900, 1200), "storage": (900, 1200), "program": (900, 1400)},
            _pipeline("old-archive"),
        ),
    ),
    "Of the limit": (
        Legends({"storage": (1, 1.4)}, _pipeline("old-archive")),
        Legends({"deployment": (1, 1.5)}, _pipeline("big-join")),
        Legends({}, _pipeline("orders")),
    ),
    "Runner looked": (
        Legends({"refreshed": 1}, _pipeline("inventory")),
        Legends({"refreshed": 0}, _pipeline("metrics-rollup")),
    ),
    "What it is": (
        Rows(
            "Pipeline",
            {
                "warehouse-sync": {
                    "Team": "bi",
                    "Expected": "running",
                    "Version": "0.375.0",
                    "Age": (1200, 1300),
                }
            },
            _pipeline("warehouse-sync"),
            only=True,
        ),
    ),
    "Firing alerts in detail": (
        Rows("Pipeline", {"big-join": {"Alert": "FelderaPipelineStuckProvisioning"}}, _pipeline("big-join")),
    ),
    "Deployment": (
        Legends(
            {"desired": _code(DEPLOYMENT, "Running"), "actual": _code(DEPLOYMENT, "Provisioning")},
            _pipeline("big-join"),
        ),
    ),
    "Resources": (
        Legends(
            {"desired": _code(RESOURCES, "Provisioned"), "actual": _code(RESOURCES, "Provisioning")},
            _pipeline("big-join"),
        ),
    ),
    "Program over time": (Legends({"program": _code(PROGRAM, "RustError")}, _pipeline("udf-model")),),
    "Storage over time": (Legends({"storage": _code(STORAGE, "Clearing")}, _pipeline("old-archive")),),
    "Time in each status": (Legends({"Provisioning": (15, 26)}, _pipeline("big-join")),),
    "Present status against its limit": (
        Legends({"Provisioning": (600, 900), "limit": 600}, _pipeline("big-join")),
        Legends({"Running": (3600, 1e6)}, _pipeline("orders")),
    ),
    "Transitions": (
        Legends(
            dict.fromkeys(("Stopping", "Stopped", "Provisioning"), (0.9, 1.3)),
            {**_pipeline("inventory"), **MINUTE},
            only=False,
        ),
    ),
    "Deployment errors": (
        Legends({"new": (0.9, 1.2), "set": 1}, {**_pipeline("payments"), **MINUTE}),
        Legends({"new": 0}, _pipeline("orders")),
    ),
    "Connector errors a second": (Legends({"errors": (0.2, 0.6)}, _pipeline("clickstream")),),
}

_EXPORTER: Final[dict[str, tuple[Legends | Rows, ...]]] = {
    "Replicas": (Legends(_exporters(1)),),
    "Data age": (Legends(_replicas((-1, 5))), Legends(_replicas((10, 90), "{}: gone"), GONE)),
    "Configuration": (Legends({"a": 1, "b": 0, "0": 1, "1": 1}),),
    "Versions": (
        Rows(
            "Replica",
            {
                name: {"Version": __version__, "Python": python_version(), "Shard": shard, "Up for": (10, 150), "Configured for": (10, 150)}
                for name, shard in {"a": "0/1", "b": "0/1", "0": "0/2", "1": "1/2"}.items()
            },
            only=True,
        ),
    ),
    "Polls by outcome": (
        Legends(_replicas((5, 30), "{}: success")),
        # Polls that fail become rare: looked at over a time in which there were some.
        Legends(_replicas((0.5, 30), "{}: unreachable"), {**GONE, "__rate_interval": "90s"}, only=False),
    ),
    "Duration of a poll": (
        Legends({**_replicas(_SOME, "p50 {}: default"), **_replicas((0.000001, 5), "p95 {}: default"), "interval default": 1}),
    ),
    "Clock skew": (
        Legends(_replicas((-2, 2))),
        Legends(_replicas((SKEW - 2, SKEW + 2), "{}: edge"), EDGE),
    ),
    "Requests to Feldera": (
        Legends(_replicas((5, 30), "{}: pipelines 200"), only=False),
        Legends(_replicas((0.5, 30), "{}: pipelines unreachable"), GONE, only=False),
    ),
    "Duration of requests, 95 %": (Legends(_replicas((0.000001, 5), "{}: pipelines"), only=False),),
    "Where transitions come from": (
        Legends({**_replicas(1, "{}: default events"), **_replicas(0, "{}: default polls")}),
    ),
    "Event backlog": (Legends(_replicas((0, 3))),),
    "Event gaps": (Legends(_replicas(0)),),
    "What the exporter does not understand": (
        Legends(
            {
                **_replicas(_SOME, "{}: unknown deployment_status"),
                **_replicas(_SOME, "{}: unknown deployment_runtime_status"),
                **_replicas(0, "unreadable {}: edge"),
                **_replicas(0, "{}: error codes folded"),
            },
            EDGE,
        ),
    ),
    "Store errors": (Legends(_replicas(0, "{}")),),
    "Series": (
        Legends({**_exporters((100, 1e5), "{}: about Feldera"), **_exporters((200, 1e5), "{}: scraped")}),
    ),
    "Size of the exposition": (Legends(_replicas((50_000, 5e6), "{}: openmetrics"), only=False),),
    "Duration of scrapes": (
        Legends({**_exporters((0.0001, 5), "{}: scrape"), **_exporters((0.0001, 5), "{}: rendering, p95")}),
    ),
    "Processor": (Legends(_exporters((0.0001, 2))),),
    "Memory": (Legends(_exporters((2e7, 1e9))),),
    "Open files": (Legends(_exporters((1e-6, 0.9))),),
}  # fmt: skip

VALUES: Final[Mapping[Panel, tuple[Legends | Rows, ...]]] = MappingProxyType(
    {
        (board, title): cases
        for board, panels in {"fleet": _FLEET, "pipeline": _PIPELINE, "exporter": _EXPORTER}.items()
        for title, cases in panels.items()
    }
)
"""What the panels show."""

WITHOUT: Final[Mapping[Panel, str]] = MappingProxyType({})
"""The panels whose value nobody can tell, and why."""
