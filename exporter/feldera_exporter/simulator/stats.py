"""The statistics of a pipeline (feldera-types `adapter_stats.rs`): invented, in the newest form."""

from typing import Any, Final
from uuid import UUID

from feldera_exporter.micros import SECOND
from feldera_exporter.simulator.api_errors import refusal
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.runner_observation import WITHOUT_CONTROLLER

_PER_SECOND: Final = 1_000
"""Records that a running pipeline takes in."""

_RECORD: Final = 100
"""Bytes of a record."""

_DISK: Final = {"disk_total_bytes": 100 * 2**30, "disk_available_bytes": 80 * 2**30}


def stats(feldera: Feldera, name: str) -> dict[str, Any]:
    """Return a pipeline's statistics (`ExternalControllerStatus`).

    Raises:
        ApiError: 404, no such pipeline; 503, it is not deployed, does not answer, or has no circuit yet.
    """
    pipeline = feldera.get(name)
    process = feldera.reach(name, "stats")
    if process.status in WITHOUT_CONTROLLER:
        raise refusal(process.status)
    now = feldera.settle()
    seconds = (now - process.launched) // SECOND
    records = seconds * _PER_SECOND
    answer: dict[str, Any] = {
        "global_metrics": {
            "state": "Paused" if process.status == "Paused" else "Running",
            "bootstrap_in_progress": process.status == "Bootstrapping",
            "transaction_status": "NoTransaction",
            "transaction_id": 0,
            "transaction_msecs": None,
            "transaction_records": None,
            "commit_progress": None,
            "transaction_initiators": {
                "transaction_id": None,
                "initiated_by_api": None,
                "initiated_by_connectors": {},
            },
            "concurrent_bootstrap_phase": process.status
            if process.status in {"ConcurrentBootstrapping", "Synchronizing"}
            else "Inactive",
            "concurrent_bootstrap_progress": None,
            "rss_bytes": 2**28,
            "memory_pressure": "low",
            "memory_pressure_epoch": 0,
            "cpu_msecs": seconds * 50,
            "uptime_msecs": (now - process.launched) // 1_000,
            "start_time": process.launched // SECOND,
            "incarnation_uuid": str(UUID(int=process.launched)),
            "initial_start_time": process.launched // SECOND,
            "storage_bytes": 2**24,
            "storage_mb_secs": seconds * 16,
            **_DISK,
            "runtime_elapsed_msecs": seconds * 40,
            "buffered_input_records": 0,
            "buffered_input_bytes": 0,
            "total_input_records": records,
            "total_input_bytes": records * _RECORD,
            "total_processed_records": records,
            "total_processed_bytes": records * _RECORD,
            "total_completed_records": records,
            "output_stall_msecs": 0,
            "total_initiated_steps": seconds,
            "total_completed_steps": seconds,
            "pipeline_complete": False,
            "platform_version": pipeline.row.platform_version,
            "runtime_version": pipeline.row.platform_version,
        },
        "suspend_error": None,
        "checkpoint_activity": {"status": "idle"},
        "permanent_checkpoint_errors": None,
        "inputs": [_input(records, pipeline.connectors.errors(now))],
        "outputs": [_output(records, seconds)],
    }
    hosts = pipeline.row.runtime_config["hosts"]
    if hosts > 1:
        answer["host_metrics"] = [_DISK] * hosts
    return answer


def _input(records: int, errors: int) -> dict[str, Any]:
    return {
        "endpoint_name": "t.input",
        "config": {"stream": "t"},
        "metrics": {
            "total_bytes": records * _RECORD,
            "total_records": records,
            "buffered_records": 0,
            "buffered_bytes": 0,
            "num_transport_errors": errors,
            "num_parse_errors": 0,
            "end_of_input": False,
        },
        "fatal_error": None,
        "health": None,
        "paused": False,
        "barrier": False,
        "completed_frontier": None,
    }


def _output(records: int, steps: int) -> dict[str, Any]:
    return {
        "endpoint_name": "v.output",
        "config": {"stream": "v"},
        "metrics": {
            "transmitted_records": records,
            "transmitted_bytes": records * _RECORD,
            "queued_records": 0,
            "queued_batches": 0,
            "buffered_records": 0,
            "buffered_batches": 0,
            "num_encode_errors": 0,
            "num_transport_errors": 0,
            "total_processed_input_records": records,
            "total_processed_steps": steps,
            "memory": 0,
        },
        "fatal_error": None,
        "health": None,
        "paused": False,
    }
