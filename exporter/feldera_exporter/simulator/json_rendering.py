"""Rows and events as the JSON of Feldera's API, with the fields of each version in their order."""

from collections.abc import Mapping
from typing import Any, Final

from feldera_exporter.simulator.events import EventRow
from feldera_exporter.simulator.http_messages import encode
from feldera_exporter.simulator.pipeline import SimulatedPipeline
from feldera_exporter.simulator.plan import Failure
from feldera_exporter.simulator.row import PipelineRow
from feldera_exporter.simulator.runtime_config import spelled
from feldera_exporter.simulator.timestamps import instant_text
from feldera_exporter.simulator.uuid7 import uuid_text
from feldera_exporter.simulator.versions import Fact, Version, has

Json = dict[str, Any]

_FIELDS: Final[Mapping[str, Fact]] = {
    "tags": Fact.TAGS,
    "storage_status_details": Fact.STORAGE_STATUS_DETAILS,
    "silent_bootstrap": Fact.SILENT_BOOTSTRAP,
    "concurrent_bootstrap": Fact.CONCURRENT_BOOTSTRAP,
    "deployment_config": Fact.DEPLOYMENT_CONFIG,
}
"""The fields of a row that older versions do not have."""

_EMPTY_PROGRAM_ERROR: Final = {"sql_compilation": None, "rust_compilation": None, "system_error": None}

_COLUMN: Final = {
    "name": "x",
    "case_sensitive": False,
    "columntype": {"type": "INTEGER", "nullable": True},
    "unused": False,
}

_PROGRAM_INFO: Final = {
    "schema": {
        "inputs": [{"name": "t", "case_sensitive": False, "fields": [_COLUMN], "materialized": False}],
        "outputs": [{"name": "v", "case_sensitive": False, "fields": [_COLUMN], "materialized": False}],
    },
    "udf_stubs": "",
    "input_connectors": {},
    "output_connectors": {},
}

_COMPILED: Final = frozenset({"SqlCompiled", "CompilingRust", "Success", "RustError"})


def row_bytes(pipeline: SimulatedPipeline, selector: str, version: Version) -> bytes:
    """Return a pipeline's JSON; cached until its row changes."""
    key = (selector, version)
    kept = pipeline.rendered.get(key)
    if kept is not None and kept[0] is pipeline.row:
        return kept[1]
    rendered = encode(row_json(pipeline.id, pipeline.row, selector, version))
    pipeline.rendered[key] = (pipeline.row, rendered)
    return rendered


def row_json(identity: str, row: PipelineRow, selector: str, version: Version) -> Json:
    """Return a row as `GET /v0/pipelines` answers it (`PipelineSelectedInfoInternal`)."""
    full = selector == "all"
    fields: Json = {
        "id": identity,
        "name": row.name,
        "description": row.description,
        "tags": row.tags,
        "created_at": instant_text(row.created_at),
        "version": row.version,
        "platform_version": row.platform_version,
    }
    if full:
        fields["runtime_config"] = spelled(row.runtime_config, version)
    fields["deployment_config"] = row.deployment_config
    if full:
        fields |= {
            "program_code": row.program_code,
            "udf_rust": row.udf_rust,
            "udf_toml": row.udf_toml,
        }
    fields |= {
        "program_config": row.program_config,
        "program_version": row.program_version,
        "program_status": row.program_status,
        "program_status_since": instant_text(row.program_status_since),
    }
    if full:
        fields |= {
            "program_error": _program_error(row),
            "program_info": _PROGRAM_INFO if row.program_status in _COMPILED else None,
        }
    fields |= {
        "deployment_error": row.error and failure_json(row.error),
        "refresh_version": row.refresh_version,
        "storage_status": row.storage_status,
        "storage_status_details": row.storage_details,
        "deployment_id": row.deployment_id,
        "deployment_initial": row.initial,
        "deployment_status": row.status,
        "deployment_status_since": instant_text(row.status_since),
        "deployment_desired_status": row.desired,
        "deployment_desired_status_since": instant_text(row.desired_since),
        "deployment_resources_status": row.resources,
    }
    if full:
        fields["deployment_resources_status_details"] = row.resources_details
    fields |= {
        "deployment_resources_status_since": instant_text(row.resources_since),
        "deployment_resources_desired_status": row.resources_desired,
        "deployment_resources_desired_status_since": instant_text(row.resources_desired_since),
        "deployment_runtime_status": row.runtime,
        "deployment_runtime_status_details": _runtime_details(row.runtime_details, version),
        "deployment_runtime_status_since": row.runtime_since and instant_text(row.runtime_since),
        "deployment_runtime_desired_status": row.runtime_desired,
        "deployment_runtime_desired_status_since": row.runtime_desired_since
        and instant_text(row.runtime_desired_since),
        "bootstrap_policy": row.bootstrap_policy,
        "silent_bootstrap": row.silent_bootstrap,
        "concurrent_bootstrap": row.concurrent_bootstrap,
    }
    if selector == "status_with_connectors":
        stats = (row.runtime_details or {}).get("connector_stats")
        if stats is not None:
            fields["connectors"] = stats
    for field, fact in _FIELDS.items():
        if not has(version, fact):
            fields.pop(field)
    return fields


def event_json(event: EventRow, selector: str) -> Json:
    """Return an event as `GET …/events` answers it (`pipeline_events.rs`)."""
    statuses, details = event.statuses, event.details
    full = selector == "all"
    fields: Json = {
        "event_id": uuid_text(event.event_id),
        "recorded_at": instant_text(event.recorded_at),
        "deployment_resources_status": statuses.resources,
    }
    if full:
        fields["deployment_resources_status_details"] = details.resources
    fields["deployment_resources_desired_status"] = statuses.resources_desired
    fields["deployment_runtime_status"] = statuses.runtime
    if full:
        fields["deployment_runtime_status_details"] = details.runtime
    fields["deployment_runtime_desired_status"] = statuses.runtime_desired
    fields["deployment_has_error"] = statuses.has_error
    if full:
        fields["deployment_error"] = details.error and failure_json(details.error)
    fields["program_status"] = statuses.program
    fields["storage_status"] = statuses.storage
    if full:
        fields["storage_status_details"] = details.storage
    return fields


def failure_json(failure: Failure) -> Json:
    """Return an error in Feldera's form (feldera-types `error.rs`)."""
    return {"message": failure.message, "error_code": failure.error_code, "details": failure.details}


def _runtime_details(details: Json | None, version: Version) -> Any:
    """Return the runtime details; before v0.322 they were a string, or nothing."""
    if details is None or has(version, Fact.CONNECTOR_STATS):
        return details
    return details.get("reason", "")


def _program_error(row: PipelineRow) -> Json:
    """Return `program_error`, which has a part for each compiler."""
    failure = row.program_failure
    error: Json = dict(_EMPTY_PROGRAM_ERROR)
    if row.program_status == "SystemError" and failure:
        error["system_error"] = failure.message
    if row.program_status == "SqlError" and failure:
        error["sql_compilation"] = {"exit_code": 1, "messages": [_message(failure)]}
    if row.program_status in _COMPILED:
        error["sql_compilation"] = {"exit_code": 0, "messages": []}
    if row.program_status in {"RustError", "Success"}:
        code = 1 if failure else 0
        error["rust_compilation"] = {
            "exit_code": code,
            "stdout": "",
            "stderr": failure.message if failure else "",
        }
    return error


def _message(failure: Failure) -> Json:
    return {
        "start_line_number": 1,
        "start_column": 8,
        "end_line_number": 1,
        "end_column": 9,
        "warning": False,
        "error_type": "Error",
        "message": failure.message,
        "snippet": "    1|SELECT y FROM t",
    }
