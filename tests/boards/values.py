"""What each panel of each board shows in the scenarios of the fleet: the API down, a service unwell, and so on.

A number is exact, a pair is the least and the greatest that it may be; a text is that of a table's cell.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from platform import python_version
from types import MappingProxyType
from typing import Final

from boards.watched_fleet import LEFT, PARTS, SKEW, WatchedFleet
from dashboards.colours import SEVERITIES
from dashboards.problems import OF_INSTANCES, OF_PIPELINES
from feldera_exporter import __version__
from feldera_exporter.feldera.statuses import DEPLOYMENT, PROGRAM, RESOURCES, STORAGE, Dimension
from feldera_exporter.simulator.scenarios import SCENARIOS
from feldera_exporter.simulator.versions import NEWEST

Value = float | tuple[float, float] | str
PanelValues = Mapping[str, Value]


@dataclass(frozen=True)
class SeriesByLegend:
    """What a panel shows under a choice of variables, by the legends of its series; `a` and `b` are replicas.

    Attributes:
        of: the values, or how to get them from the fleet.
        choice: variables; a pipeline by its name.
        only: whether nothing else is there.
    """

    of: PanelValues | Callable[[WatchedFleet], PanelValues]
    choice: Mapping[str, str] = field(default_factory=dict)
    only: bool = True


@dataclass(frozen=True)
class TableRows:
    """What a table shows under a choice of variables.

    Attributes:
        column: identifies a row.
        of: what is in some columns of each row.
        choice: variables; a pipeline by its name.
        only: whether no other row is there.
    """

    column: str
    of: Mapping[str, PanelValues]
    choice: Mapping[str, str] = field(default_factory=dict)
    only: bool = False


Panel = tuple[str, str]
"""A board's name and a panel's title."""

GONE: Final = {"feldera_instance": "gone"}
EDGE: Final = {"feldera_instance": "edge"}
STORM: Final = {"feldera_instance": "storm"}
WHOLE: Final = {"__rate_interval": "15m", "__range": "15m"}
"""All the time that Prometheus has watched."""
_SLOW: Final = 600
"""How many seconds later than usual a panel is looked at on a busy machine."""
_NOTHING: Final = SeriesByLegend({}, GONE)
_SOME: Final = (0.000001, 1e9)


def _code(dimension: Dimension, status: str) -> float:
    return list(dimension.statuses).index(status)


def _pipeline(name: str) -> Mapping[str, str]:
    return {"pipeline": name}


def _alertmanagers(text: str, **values: Value) -> PanelValues:
    return {text.format(name): value for name, value in values.items()}


def _replicas(value: Value, text: str = "{}") -> PanelValues:
    return {text.format(name): value for name in ("a", "b")}


def _problems(watched: WatchedFleet) -> PanelValues:
    severities = {**OF_PIPELINES.severities, **OF_INSTANCES.severities}
    counted = Counter(severities[each["problem"]] for each in watched.problems("default"))
    return {name: counted[name] for name, _ in SEVERITIES.values()}


def _running(watched: WatchedFleet) -> PanelValues:
    rows = [each.row for each in watched.feldera.pipelines()]
    return {
        "running": sum(row.status == "Running" for row in rows),
        "should run": sum(row.desired == "Running" for row in rows),
    }


def _deployments(watched: WatchedFleet) -> PanelValues:
    return Counter(each.row.status for each in watched.feldera.pipelines())


def _programs(watched: WatchedFleet) -> PanelValues:
    return Counter(each.row.program_status for each in watched.feldera.pipelines())


_FLEET: Final[dict[str, tuple[SeriesByLegend | TableRows, ...]]] = {
    "Problems": (
        SeriesByLegend(_problems),
        SeriesByLegend({"critical": 1, "warning": 0, "info": 0}, EDGE),
        # Each of its pipelines, one that failed before, and the instance as a whole.
        SeriesByLegend({"critical": len(PARTS) + 2, "warning": 0, "info": 0}, STORM),
        # No exporter sees the change, so the last state stays.
        SeriesByLegend({"critical": 1}, GONE),
    ),
    "Running": (SeriesByLegend(_running), SeriesByLegend({"running": 0, "should run": 1}, EDGE), _NOTHING),
    "Data age": (
        SeriesByLegend({"default": (-1, 5)}),
        SeriesByLegend({"gone": (10, 90 + _SLOW)}, GONE),
    ),
    "Problems of Feldera itself": (
        TableRows("Problem", {"FleetDegraded": {"Severity": 3, "Instance": "default"}}, only=True),
        TableRows(
            "Problem",
            {"LicenseExpiryImminent": {"Severity": 3, "For": (86_395, 86_500 + _SLOW), "Instance": "edge"}},
            EDGE,
            only=True,
        ),
        TableRows("Problem", {"FleetDegraded": {"Severity": 3, "For": (0, 90 + _SLOW), "Instance": "storm"}}, STORM, only=True),
    ),
    "Problems of pipelines": (
        TableRows(
            "Pipeline",
            {
                "big-join": {
                    "Severity": 3,
                    "Problem": "StuckProvisioning",
                    "Status": "Provisioning",
                    "For": (60, 300 + _SLOW),
                    "Team": "data",
                    "Instance": "default",
                },
                "old-archive": {"Severity": 2, "Problem": "StorageClearingStuck", "Status": "Clearing", "For": (60, 300 + _SLOW)},
                "warehouse-sync": {"Severity": 3, "Problem": "UnexpectedlyStopped", "Status": "Stopped", "Team": "bi"},
                "fraud-scores": {"Severity": 3, "Problem": "DeploymentError", "Team": "risk", "Tier": "1"},
                # Only one replica saw it fail.
                "payments": {"Severity": 3, "Problem": "DeploymentError", "For": (0, 90 + _SLOW)},
                "udf-model": {"Severity": 1, "Problem": "CompileFailed", "Status": "RustError"},
            },
        ),
        TableRows("Pipeline", {}, EDGE, only=True),
        # Its state is forgotten, but its problem is not.
        TableRows("Pipeline", {"far-away": {"Severity": 3, "Problem": "DeploymentError"}}, GONE, only=True),
    ),
    "Pipelines by status": (SeriesByLegend(_deployments), SeriesByLegend({"Dreaming": 1}, EDGE), _NOTHING),
    "New errors by code": (
        SeriesByLegend({"RuntimeError.WorkerPanic": (0.9, 1.2)}, WHOLE, only=False),
        # Both replicas counted them.
        SeriesByLegend({"RuntimeError.WorkerPanic": (0.9 * len(PARTS), 1.2 * len(PARTS))}, {**STORM, **WHOLE}),
    ),
    "Programs by status": (SeriesByLegend(_programs), SeriesByLegend({"Success": 1}, EDGE), _NOTHING),
    "Transitions": (
        SeriesByLegend(
            dict.fromkeys(("Stopping", "Stopped", "Provisioning"), (0.9, 1.3)),
            {**_pipeline("inventory"), **WHOLE},
            only=False,
        ),
    ),
    "Deployment status": (
        SeriesByLegend(
            {
                "big-join (default)": _code(DEPLOYMENT, "Provisioning"),
                "old-archive (default)": _code(DEPLOYMENT, "Stopped"),
                "old-stream (default)": _code(DEPLOYMENT, "Stopping"),
                "warehouse-sync (default)": _code(DEPLOYMENT, "Stopped"),
            },
            only=False,
        ),
        SeriesByLegend({"sensor-hub (edge)": len(DEPLOYMENT.statuses)}, EDGE),
    ),
    "Program status": (
        SeriesByLegend({"udf-model (default)": _code(PROGRAM, "RustError")}, only=False),
        SeriesByLegend({"sensor-hub (edge)": _code(PROGRAM, "Success")}, EDGE),
    ),
    "How long transient statuses last": (
        TableRows(
            "Status",
            {
                "Stopping": {"Median": (0, 10), "95 %": (0, 10), "Ended": (1.8, 100)},
                "Provisioning": {"Limit": 600},
                "Clearing": {"Limit": 900},
            },
            WHOLE,
        ),
    ),
    "Duration of transient statuses, 95 %": (
        SeriesByLegend({"Stopping": (0, 10), "limit of Provisioning": 600, "limit of Clearing": 900}, WHOLE, only=False),
    ),
    "Feldera's API and services": (
        SeriesByLegend({f"default: {name}": 1 for name in ("answers", "api", "compiler", "runner")}),
        SeriesByLegend({"edge: answers": 1, "edge: api": 1, "edge: runner": 1, "edge: compiler": 0}, EDGE),
        SeriesByLegend({"gone: answers": 0}, GONE, only=False),
    ),
    "Age of the health checks": (
        SeriesByLegend({f"default: {name}": (0, 660) for name in ("api", "compiler", "runner")}),
        SeriesByLegend({f"edge: {name}": (-SKEW - 5, 90 - SKEW + _SLOW) for name in ("api", "compiler", "runner")}, EDGE),
    ),
    "Health unchanged for": (
        SeriesByLegend({f"default: {name}": (3600, 1e6) for name in ("api", "compiler", "runner")}),
        SeriesByLegend({"edge: api": (3000, 3700 + _SLOW), "edge: compiler": (-SKEW - 5, 90 - SKEW + _SLOW)}, EDGE, only=False),
    ),
    "License expires in": (
        SeriesByLegend({"default": (300 * 86_400, 366 * 86_400)}),
        SeriesByLegend({"edge": (LEFT - 90 - _SLOW, LEFT)}, EDGE),
    ),
    "License": (SeriesByLegend({"default": 1}), SeriesByLegend({"storm": 0}, STORM)),
    "Instances": (
        TableRows(
            "Instance",
            {
                "default": {
                    "Version": NEWEST,
                    "Edition": "Enterprise",
                    "Tenant": "default",
                    "Pipelines": (len(SCENARIOS) - 1, len(SCENARIOS)),
                }
            },
            only=True,
        ),
        TableRows("Instance", {"storm": {"Pipelines": len(PARTS) + 1}}, STORM, only=True),
    ),
}  # fmt: skip

_PIPELINE: Final[dict[str, tuple[SeriesByLegend | TableRows, ...]]] = {
    "Status": (
        SeriesByLegend({"status": _code(DEPLOYMENT, "Provisioning")}, _pipeline("big-join")),
        SeriesByLegend({"status": len(DEPLOYMENT.statuses)}, {**EDGE, **_pipeline("sensor-hub")}),
    ),
    "Desired": (SeriesByLegend({"desired": _code(DEPLOYMENT, "Running")}, _pipeline("big-join")),),
    "Program": (SeriesByLegend({"program": _code(PROGRAM, "RustError")}, _pipeline("udf-model")),),
    "Storage": (SeriesByLegend({"storage": _code(STORAGE, "Clearing")}, _pipeline("old-archive")),),
    "Error": (
        SeriesByLegend({"RuntimeError.WorkerPanic": 1}, _pipeline("payments")),
        SeriesByLegend({}, _pipeline("orders")),
    ),
    "Error for": (
        SeriesByLegend({"error": (5, 90 + _SLOW)}, _pipeline("payments")),
        SeriesByLegend({}, _pipeline("orders")),
    ),
    "In this status for": (
        SeriesByLegend(
            dict.fromkeys(("deployment", "storage", "program"), (900, 1400 + _SLOW)),
            _pipeline("old-archive"),
        ),
    ),
    "Share of the limit": (
        SeriesByLegend({"storage": (1, 2)}, _pipeline("old-archive")),
        SeriesByLegend({"deployment": (1, 2.5)}, _pipeline("big-join")),
        SeriesByLegend({}, _pipeline("orders")),
    ),
    "Information": (
        TableRows(
            "Pipeline",
            {
                "warehouse-sync": {
                    "Team": "bi",
                    "Expected": "running",
                    "Version": NEWEST,
                    "Age": (1200, 1300 + _SLOW),
                }
            },
            _pipeline("warehouse-sync"),
            only=True,
        ),
    ),
    "Problems of pipelines": (
        TableRows(
            "Pipeline", {"big-join": {"Problem": "StuckProvisioning"}}, _pipeline("big-join"), only=True
        ),
        TableRows("Pipeline", {}, _pipeline("orders"), only=True),
    ),
    "Deployment": (
        SeriesByLegend(
            {"desired": _code(DEPLOYMENT, "Running"), "actual": _code(DEPLOYMENT, "Provisioning")},
            _pipeline("big-join"),
        ),
    ),
    "Resources": (
        SeriesByLegend(
            {"desired": _code(RESOURCES, "Provisioned"), "actual": _code(RESOURCES, "Provisioning")},
            _pipeline("big-join"),
        ),
    ),
    "Program over time": (SeriesByLegend({"program": _code(PROGRAM, "RustError")}, _pipeline("udf-model")),),
    "Storage over time": (SeriesByLegend({"storage": _code(STORAGE, "Clearing")}, _pipeline("old-archive")),),
    "Time in each status": (SeriesByLegend({"Provisioning": (15, 26)}, _pipeline("big-join")),),
    "Present status against its limit": (
        SeriesByLegend({"Provisioning": (600, 900 + _SLOW), "limit": 600}, _pipeline("big-join")),
        SeriesByLegend({"Running": (3600, 1e6)}, _pipeline("orders")),
    ),
    "Transitions": (
        SeriesByLegend(
            dict.fromkeys(("Stopping", "Stopped", "Provisioning"), (0.9, 1.3)),
            {**_pipeline("inventory"), **WHOLE},
            only=False,
        ),
    ),
    "Deployment errors": (
        SeriesByLegend({"new": (0.9, 1.2), "set": 1}, {**_pipeline("payments"), **WHOLE}),
        SeriesByLegend({"new": 0}, _pipeline("orders")),
    ),
    "Connector errors per second": (SeriesByLegend({"errors": (0.2, 0.6)}, _pipeline("clickstream")),),
}

_EXPORTER: Final[dict[str, tuple[SeriesByLegend | TableRows, ...]]] = {
    "Replicas": (SeriesByLegend(_replicas(1)),),
    "Data age": (
        SeriesByLegend({"a: default": (-1, 5), "b: default": (10, 90 + _SLOW)}),
        SeriesByLegend(_replicas((10, 90 + _SLOW), "{}: gone"), GONE),
    ),
    "Configuration": (SeriesByLegend({"a": 1, "b": 0}),),
    "Versions": (
        TableRows(
            "Replica",
            {
                name: {"Version": __version__, "Python": python_version(), "Up for": (10, 150 + _SLOW), "Configured for": (10, 150 + _SLOW)}
                for name in ("a", "b")
            },
            only=True,
        ),
    ),
    "Alerts about the exporter": (
        TableRows(
            "Alert",
            {"FelderaExporterUnknownStatus": {"Severity": "warning", "Instance": "edge"}},
        ),
        TableRows("Replica", {"b": {"Severity": "warning", "Alert": "FelderaExporterConfigReloadFailed"}}),
    ),
    "Polls by outcome": (
        SeriesByLegend(_replicas((5, 30), "{}: success"), EDGE),
        # Polls that fail become rare.
        SeriesByLegend(_replicas((0.5, 900), "{}: unreachable"), {**GONE, **WHOLE}, only=False),
    ),
    "Duration of a poll": (
        SeriesByLegend({**_replicas(_SOME, "p50 {}: edge"), **_replicas((0.000001, 5), "p95 {}: edge"), "interval edge": 1}, EDGE),
    ),
    "Clock skew": (
        SeriesByLegend(_replicas((-2, 2), "{}: default")),
        SeriesByLegend(_replicas((SKEW - 2, SKEW + 2), "{}: edge"), EDGE),
    ),
    "Requests to Feldera": (
        SeriesByLegend(_replicas((5, 30), "{}: pipelines 200"), EDGE, only=False),
        SeriesByLegend(_replicas((0.5, 900), "{}: pipelines unreachable"), {**GONE, **WHOLE}, only=False),
    ),
    "Duration of requests, 95 %": (SeriesByLegend(_replicas((0.000001, 5), "{}: pipelines"), EDGE, only=False),),
    "Where transitions come from": (
        SeriesByLegend({**_replicas(1, "{}: default events"), **_replicas(0, "{}: default polls")}),
    ),
    "Event backlog": (SeriesByLegend({"a: default": (0, 3), "b: default": (0, 30)}),),
    "Event gaps": (SeriesByLegend(_replicas(0, "{}: default")),),
    "Unknown and unreadable data": (
        SeriesByLegend(
            {
                **_replicas(_SOME, "{}: unknown deployment_status"),
                **_replicas(_SOME, "{}: unknown deployment_runtime_status"),
                **_replicas(0, "unreadable {}: edge"),
                **_replicas(0, "{}: error codes counted as other"),
            },
            EDGE,
        ),
    ),
    "Store errors": (SeriesByLegend(_replicas(0)),),
    "Alerts sent": (
        SeriesByLegend(
            {
                **_alertmanagers("a: accepted by {}", accepting=(1, 1e4), refusing=0),
                **_alertmanagers("a: not accepted by {}", accepting=0, refusing=(1, 1e4)),
            },
            WHOLE,
        ),
    ),
    "Last success": (SeriesByLegend(_alertmanagers("a: {}", accepting=(0, 30 + _SLOW), refusing=(1e9, 1e10))),),
    "Delay of notifications": (
        SeriesByLegend({"a: problem, p95": (0.0001, 60), "a: accepting, p95": (0.0001, 5)}, WHOLE),
    ),
    "Series": (
        SeriesByLegend({**_replicas((100, 1e5), "{}: about Feldera"), **_replicas((200, 1e5), "{}: scraped")}),
    ),
    "Size of the exposition": (SeriesByLegend(_replicas((50_000, 5e6), "{}: openmetrics"), only=False),),
    "Duration of scrapes": (
        SeriesByLegend({**_replicas((0.0001, 5), "{}: scrape"), **_replicas((0.0001, 5), "{}: rendering, p95")}),
    ),
    "Processor": (SeriesByLegend(_replicas((0.0001, 2))),),
    "Memory": (SeriesByLegend(_replicas((2e7, 1e9))),),
    "Open files": (SeriesByLegend(_replicas((1e-6, 0.9))),),
}  # fmt: skip

VALUES: Final[Mapping[Panel, tuple[SeriesByLegend | TableRows, ...]]] = MappingProxyType(
    {
        (board, title): cases
        for board, panels in {"fleet": _FLEET, "pipeline": _PIPELINE, "exporter": _EXPORTER}.items()
        for title, cases in panels.items()
    }
)
"""What the panels show."""

WITHOUT: Final[Mapping[Panel, str]] = MappingProxyType({})
"""The panels whose value is not known beforehand, and why."""
