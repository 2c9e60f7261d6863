"""The table of problems, one row each. Metrics, pages, rules, alerts and documentation read it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from feldera_exporter.feldera.statuses import DEPLOYMENT, PROGRAM, STORAGE, Difference
from feldera_exporter.problems import conditions, instance_conditions
from feldera_exporter.problems.instance_conditions import InstanceState
from feldera_exporter.problems.model import Problem
from feldera_exporter.state.pipeline import Pipeline


def _overdue(name: str, severity: str, summary: str, first_step: str) -> Problem[Pipeline]:
    return Problem(
        name,
        severity,
        summary,
        "{subject} has been {label} for longer than its limit{limit}.",
        first_step,
        conditions.overdue(DEPLOYMENT, name),
        labelled=True,
        limit_of=DEPLOYMENT.name,
    )


LIFECYCLE: Final[tuple[Problem[Pipeline], ...]] = (
    _overdue(
        "StuckProvisioning",
        "critical",
        "A pipeline does not get its resources.",
        "The runner itself should have given up by now: check the runner, then the capacity of the cluster.",
    ),
    _overdue(
        "StuckStopping",
        "warning",
        "A pipeline does not stop.",
        "The runner tries again without end: read its reason in deployment_resources_status_details.",
    ),
    _overdue(
        "StuckInitializing",
        "warning",
        "A pipeline does not finish its initialization.",
        "Read the pipeline's log: often a connector waits for a server, or a large checkpoint is fetched.",
    ),
    Problem(
        "Unavailable",
        "critical",
        "A deployed pipeline does not answer.",
        "{subject} has been Unavailable for longer than its limit{limit}, or for most of 15 minutes. It processes nothing.",
        "Check whether its process or pod runs and has enough memory.",
        conditions.unavailable,
        labelled=True,
        limit_of=DEPLOYMENT.name,
    ),
    _overdue(
        "AwaitingApproval",
        "warning",
        "A changed pipeline waits for approval.",
        "Approve the changes or stop the pipeline: it processes nothing until then.",
    ),
    _overdue(
        "BootstrappingLong",
        "warning",
        "A pipeline has been bootstrapping for a long time.",
        "Much data takes long: check its progress before you do anything.",
    ),
    _overdue(
        "ReplayingLong",
        "warning",
        "A pipeline has been replaying its journal for a long time.",
        "Check its progress before you do anything.",
    ),
    _overdue(
        "StuckSynchronizing",
        "warning",
        "A pipeline does not finish the switch to its new version.",
        "Read the pipeline's log: its inputs are paused meanwhile.",
    ),
    _overdue(
        "ImpossibleState",
        "warning",
        "A pipeline stays in a status that should last moments.",
        "Stop the pipeline and report a defect of Feldera.",
    ),
    _overdue(
        "Stuck",
        "warning",
        "A pipeline has outlasted the limit of its status.",
        "Read the pipeline's page, then the log of Feldera's runner.",
    ),
    Problem(
        "StartPending",
        "warning",
        "A pipeline was started and nothing happens.",
        "{subject} is compiled and should start, but stays Stopped for longer than the limit{limit}.",
        "Check whether Feldera's runner works.",
        conditions.differs(Difference.START_PENDING),
        labelled=True,
        limit_of="deployment_desired_status",
    ),
    Problem(
        "DesiredDrift",
        "warning",
        "A pipeline is not in its desired status.",
        "{subject} has been {label} for longer than the limit{limit} while another status is desired.",
        "Compare the desired with the actual status, then read the log of Feldera's runner.",
        conditions.differs(Difference.DRIFT),
        labelled=True,
        limit_of="deployment_desired_status",
    ),
    Problem(
        "UnexpectedlyStopped",
        "critical",
        "A pipeline that should always run is stopped.",
        "{subject} has the tag expect:running and has been Stopped for more than ten minutes.",
        "Find out who stopped it, then start it.",
        conditions.unexpectedly_stopped,
        labelled=True,
    ),
)
"""A status lasts too long, or is not the desired one."""

FAULTS: Final[tuple[Problem[Pipeline], ...]] = (
    Problem(
        "DeploymentError",
        "critical",
        "Feldera stopped a pipeline because of an error.",
        "{subject} has a deployment error, or has had two within ten minutes. Feldera does not start it again by itself.",
        "Read the error on the pipeline's page.",
        conditions.deployment_error,
    ),
    Problem(
        "CrashLooping",
        "critical",
        "A pipeline fails again and again.",
        "{subject} has failed three times within an hour, or its process has restarted by itself three times.",
        "Read the last error and the end of the pipeline's log.",
        conditions.crash_looping,
    ),
    Problem(
        "Flapping",
        "warning",
        "A pipeline is started and stopped again and again.",
        "{subject} was stopped at least six times within an hour.",
        "Find out who or what starts and stops it.",
        conditions.hourly("stops", 6),
        yields_to="CrashLooping",
    ),
    Problem(
        "RuntimeFlapping",
        "warning",
        "A pipeline becomes unavailable again and again.",
        "{subject} became Unavailable at least eight times within an hour, and came back each time.",
        "Check the load and the memory of the pipeline, and the network between it and the runner.",
        conditions.hourly("losses", 8),
        yields_to="CrashLooping",
    ),
    Problem(
        "RunnerFrozen",
        "critical",
        "Feldera's runner no longer refreshes a pipeline.",
        "{subject} has not been refreshed by the runner for 15 minutes. The runner should do so every ten minutes. "
        "What Feldera shows of the pipeline may be out of date.",
        "Check whether Feldera's runner works; restart it if it does not.",
        conditions.runner_frozen,
    ),
    Problem(
        "ConnectorErrors",
        "warning",
        "A pipeline's connectors keep reporting errors.",
        "{subject} has had more than six connector errors a minute for half an hour: data may be missing.",
        "See which connector fails in the pipeline's statistics.",
        conditions.connector_errors,
    ),
)
"""A pipeline fails: errors, crashes, a runner that no longer refreshes it."""

COMPILATION: Final[tuple[Problem[Pipeline], ...]] = (
    Problem(
        "CompileFailed",
        "info",
        "A pipeline's program does not compile.",
        "{subject} has a program in {label}. That is normal while it is being edited.",
        "Read the compiler's messages.",
        conditions.program_in({"SqlError", "RustError"}, minutes=5),
        labelled=True,
    ),
    Problem(
        "CompileSystemError",
        "warning",
        "Feldera's compiler failed, so a program could not be compiled.",
        "{subject} has a program in {label}: the compiler failed, not the program.",
        "Check the memory and the disk of Feldera's compiler.",
        conditions.program_in({"SystemError"}, minutes=1),
        labelled=True,
    ),
    Problem(
        "CompileStuck",
        "warning",
        "A pipeline's program waits or compiles for too long.",
        "{subject} has had a program in {label} for longer than its limit{limit}.",
        "Check whether Feldera's compiler works and what it is compiling.",
        conditions.overdue(PROGRAM, "CompileStuck"),
        labelled=True,
        limit_of=PROGRAM.name,
    ),
    Problem(
        "CompileLooping",
        "warning",
        "The compilation of a pipeline's program starts over and over.",
        "{subject} went back from CompilingRust to SqlCompiled at least three times within an hour: "
        "the compiler restarts during the compilation.",
        "Check the memory of Feldera's compiler.",
        conditions.hourly("recompilations", 3),
    ),
    Problem(
        "StorageClearingStuck",
        "warning",
        "A pipeline's storage is not cleared.",
        "{subject} has been {label} its storage for longer than its limit{limit}. It cannot start meanwhile.",
        "Read the log of Feldera's runner.",
        conditions.overdue(STORAGE, "StorageClearingStuck"),
        labelled=True,
        limit_of=STORAGE.name,
    ),
)
"""The compilation of a program, or the clearing of a storage, fails or takes too long."""

PLATFORM: Final[tuple[Problem[InstanceState], ...]] = (
    Problem(
        "FleetDegraded",
        "critical",
        "Many pipelines of an instance fail at the same time.",
        "{subject} has at least five failing pipelines, and more than a tenth of all: with an error of the last hour, "
        "stuck, or unavailable.",
        "Look for the common cause first: the cluster, the storage, a shared source.",
        instance_conditions.degraded,
    ),
    Problem(
        "PipelineInventoryDropped",
        "warning",
        "More than half of an instance's pipelines disappeared within an hour.",
        "{subject} lists less than half of the pipelines that it listed within the last hour.",
        "Find out whether they were deleted on purpose, or whether the API key belongs to another tenant.",
        instance_conditions.inventory_dropped,
    ),
    Problem(
        "ClusterServiceUnhealthy",
        "critical",
        "A service of Feldera is unhealthy.",
        "{subject} has reported its {label} service as unhealthy for five minutes or more.",
        "Read the service's message in /v0/cluster_healthz.",
        instance_conditions.unhealthy(("api", "runner")),
        labelled=True,
    ),
    Problem(
        "CompilerUnhealthy",
        "warning",
        "Feldera's compiler is unhealthy.",
        "{subject} has reported its {label} service as unhealthy for five minutes or more. Running pipelines are not "
        "affected.",
        "Read the service's message in /v0/cluster_healthz.",
        instance_conditions.unhealthy(("compiler",)),
        labelled=True,
    ),
    Problem(
        "ClusterHealthStale",
        "warning",
        "Feldera no longer checks the health of its services, or no longer reports it.",
        "{subject} has not checked its services for half an hour, or has not reported their health for 15 minutes. "
        "The known health may be out of date.",
        "Check whether Feldera's runner works: on Kubernetes it checks the services.",
        instance_conditions.health_stale,
    ),
    Problem(
        "LicenseExpiring",
        "warning",
        "A Feldera license ends within two weeks.",
        "{subject} has a license that ends within two weeks.",
        "Renew the license.",
        instance_conditions.license_ends_within(14),
        yields_to="LicenseExpiryImminent",
    ),
    Problem(
        "LicenseExpiryImminent",
        "critical",
        "A Feldera license ends within three days or has ended.",
        "{subject} has a license that ends within three days or has ended.",
        "Renew the license now.",
        instance_conditions.license_ends_within(3),
    ),
    Problem(
        "LicenseUnconfirmed",
        "warning",
        "Feldera has not been able to confirm its license for an hour.",
        "{subject} has no confirmed license.",
        "Check whether the license server can be reached.",
        instance_conditions.license_unconfirmed,
    ),
)
"""The fleet, the services or the license of an instance."""

PIPELINE_PROBLEMS: Final = MappingProxyType({row.name: row for row in (*LIFECYCLE, *FAULTS, *COMPILATION)})
INSTANCE_PROBLEMS: Final = MappingProxyType({row.name: row for row in PLATFORM})


def pipeline_alert(problem: str) -> str:
    """Return the name of the alert for a problem of a pipeline."""
    return f"FelderaPipeline{problem}"


def instance_alert(problem: str) -> str:
    """Return the name of the alert for a problem of an instance."""
    return f"Feldera{problem}"


BY_ALERT: Final[Mapping[str, Problem[Any]]] = MappingProxyType(
    {pipeline_alert(name): row for name, row in PIPELINE_PROBLEMS.items()}
    | {instance_alert(name): row for name, row in INSTANCE_PROBLEMS.items()}
)
"""All rows by the names of their alerts."""
