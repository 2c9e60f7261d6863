"""What the runner sees of a Provisioned pipeline when it polls its /status."""

from dataclasses import dataclass
from typing import Any, Final

from feldera_exporter.micros import Micros, from_seconds
from feldera_exporter.simulator.failures import lost_process
from feldera_exporter.simulator.pipeline import Process, SimulatedPipeline
from feldera_exporter.simulator.plan import Failure
from feldera_exporter.simulator.uuid7 import uuid_text

WITHOUT_CONTROLLER: Final = frozenset({"Initializing", "AwaitingApproval"})
"""The statuses in which a pipeline has no circuit yet, hence no connectors."""

RESOURCES: Final[dict[str, str]] = {"process": "has not exited", "working_dir": "exists"}
"""What the runner finds out about the resources of a deployment (`local_runner.rs`)."""

_APPROVAL: Final[dict[str, Any]] = {
    "approval_diff": {
        "program_diff": {
            "added_tables": [],
            "removed_tables": [],
            "modified_tables": [],
            "added_views": ["orders_by_region"],
            "removed_views": [],
            "modified_views": [],
        },
        "program_diff_error": None,
        "added_input_connectors": [],
        "modified_input_connectors": [],
        "removed_input_connectors": [],
        "added_output_connectors": [],
        "modified_output_connectors": [],
        "removed_output_connectors": [],
    }
}


@dataclass(frozen=True, slots=True)
class RunnerObservation:
    """One answer of /status, or what the runner makes of none (`parse_status_result`)."""

    runtime: str
    desired: str
    resources_details: Any
    runtime_details: dict[str, Any]
    storage_details: dict[str, Any] | None


def observe(pipeline: SimulatedPipeline, now: Micros) -> RunnerObservation | Failure:
    """Return what the runner sees at an instant; a Failure is fatal and stops the deployment."""
    process, automaton = pipeline.process, pipeline.automaton
    if process is None:
        return lost_process()
    if process.failure is not None:
        return process.failure
    if not process.reachable:
        reason = "Pipeline status endpoint could not be reached"
        if automaton.grace_until is not None and now <= automaton.grace_until:
            initial = pipeline.row.initial or "Running"
            return RunnerObservation("Initializing", initial, RESOURCES, {"reason": f"{reason} yet"}, None)
        return RunnerObservation("Unavailable", "Unavailable", RESOURCES, {"reason": reason}, None)
    details: dict[str, Any] = {}
    if process.status not in WITHOUT_CONTROLLER:
        details["connector_stats"] = {"num_errors": pipeline.connectors.errors(now)}
        if process.memory_max is not None:
            details["memory_max"] = process.memory_max
    elif process.status == "AwaitingApproval":
        details = _APPROVAL
    return RunnerObservation(
        process.status, process.desired, RESOURCES, details, _storage(pipeline, process, now)
    )


def next_change(pipeline: SimulatedPipeline, now: Micros) -> Micros:
    """Return the instant from which on an observation's details will differ by themselves."""
    change = pipeline.connectors.next_change(now)
    process, every = pipeline.process, pipeline.plan.checkpoint_every
    if process is None or every is None:
        return change
    period = from_seconds(every)
    return min(change, process.launched + ((now - process.launched) // period + 1) * period)


def _storage(pipeline: SimulatedPipeline, process: Process, now: Micros) -> dict[str, Any]:
    """Return the storage's details: the last two checkpoints of this deployment."""
    every = pipeline.plan.checkpoint_every
    if every is None:
        return {"checkpoints": []}
    made = (now - process.launched) // from_seconds(every)
    return {
        "checkpoints": [
            {
                "uuid": uuid_text(process.launched << 64 | 7 << 76 | 1 << 63 | number),
                "identifier": None,
                "fingerprint": 4_711,
                "size": 1_000_000 + number,
                "steps": number * 100,
                "processed_records": number * 10_000,
            }
            for number in range(max(1, made - 1), made + 1)
        ]
    }
