"""Feldera's database operations as pure functions: a row and an instant in, the changed row out.

Source of every rule: pipeline-manager `db/operations/pipeline.rs` and the `validate_*` functions of `db/types/`.
The instant is the transaction's start, which Postgres's NOW() is. Illegal changes raise ApiError.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from msgspec.structs import replace

from feldera_exporter.micros import Micros
from feldera_exporter.simulator.api_errors import NAME_PATTERN, refusal
from feldera_exporter.simulator.plan import Failure
from feldera_exporter.simulator.row import PipelineRow
from feldera_exporter.simulator.runner_observation import RunnerObservation

FAILED: Final = frozenset({"SqlError", "RustError", "SystemError"})
_QUIET_PROGRAM: Final = frozenset({"CompilingSql", "CompilingRust"})
_NAME: Final = re.compile(NAME_PATTERN)
_PROGRAM: Final = frozenset({"program_code", "program_config", "udf_rust", "udf_toml"})
_BOUND_TO_STORAGE: Final = ("workers", "hosts", "fault_tolerance")


def fully_stopped(row: PipelineRow) -> bool:
    """Return whether a pipeline is, and is meant to be, Stopped."""
    return row.resources == "Stopped" and row.resources_desired == "Stopped"


@dataclass(frozen=True, slots=True)
class Start:
    """What /start asks for.

    Attributes:
        initial: the first steady status: Running, Paused or Standby.
        dismiss_error: whether an error that is set is dismissed, rather than refusing the start.
        policy: `bootstrap_policy`.
        silent: `silent_bootstrap`.
        concurrent: `concurrent_bootstrap`.
    """

    initial: str = "Running"
    dismiss_error: bool = True
    policy: str = "await_approval"
    silent: bool = False
    concurrent: bool = False


def want_provisioned(row: PipelineRow, at: Micros, start: Start) -> PipelineRow:
    """Answer /start: `set_deployment_resources_desired_status` to Provisioned."""
    error = None if start.dismiss_error else row.error
    if row.resources_desired == "Stopped" and row.resources != "Stopped":
        raise refusal(
            "IllegalPipelineAction",
            status=row.resources,
            current_desired_status="Stopped",
            new_desired_status="Provisioned",
            hint="A pipeline that is stopping can be started once it has stopped.",
        )
    if error is not None:
        raise refusal("CannotStartWithUndismissedError")
    if row.storage_status == "Clearing":
        raise refusal("CannotStartWhileClearingStorage")
    if row.program_status in FAILED:
        raise refusal("CannotStartWithCompilationError")
    if row.initial not in (None, start.initial):
        raise refusal("InitialImmutableUnlessStopped")
    backend = (row.runtime_config.get("storage") or {}).get("backend") or {}
    if start.initial == "Standby" and not (
        backend.get("name") == "file" and (backend.get("config") or {}).get("sync")
    ):
        raise refusal("InitialStandbyNotAllowed")
    since = row.resources_desired_since if row.resources_desired == "Provisioned" else at
    return replace(
        row,
        resources_desired="Provisioned",
        resources_desired_since=since,
        initial=start.initial,
        bootstrap_policy=start.policy,
        silent_bootstrap=start.silent,
        concurrent_bootstrap=start.concurrent,
        error=None,
    )


def want_stopped(row: PipelineRow, at: Micros) -> PipelineRow:
    """Set the desired status to Stopped, which is always possible and keeps an error."""
    since = row.resources_desired_since if row.resources_desired == "Stopped" else at
    row = replace(row, resources_desired="Stopped", resources_desired_since=since)
    return _without_start(row) if row.resources == "Stopped" else row


def _without_start(row: PipelineRow) -> PipelineRow:
    return replace(
        row, initial=None, bootstrap_policy=None, silent_bootstrap=False, concurrent_bootstrap=False
    )


def dismiss(row: PipelineRow) -> PipelineRow:
    """Answer /dismiss_error, which succeeds without an error too."""
    if row.error is not None and not fully_stopped(row):
        raise refusal("DismissErrorRestrictedToFullyStopped")
    return replace(row, error=None)


def store(row: PipelineRow, status: str) -> PipelineRow:
    """Set the storage status; neither `since` nor `refresh_version` know of it."""
    details = row.storage_details if status == "InUse" else None
    return replace(row, storage_status=status, storage_details=details)


def clear(row: PipelineRow) -> PipelineRow:
    """Answer /clear: towards Clearing, only while fully stopped."""
    if not fully_stopped(row):
        raise refusal(
            "StorageStatusImmutableUnlessStopped",
            resources_status=row.resources,
            resources_desired_status=row.resources_desired,
            current_status=row.storage_status,
            new_status="Clearing",
        )
    return store(row, "Clearing")


def program(row: PipelineRow, at: Micros, status: str, failure: Failure | None = None) -> PipelineRow:
    """Set the program status; `since` moves each time, `refresh_version` not while compiling goes on."""
    return replace(
        row,
        program_status=status,
        program_status_since=at,
        program_failure=failure,
        refresh_version=row.refresh_version + (status not in _QUIET_PROGRAM),
    )


def upgraded(row: PipelineRow, at: Micros, platform: str) -> PipelineRow:
    """Have a program that is not compiled yet compiled by another version of the platform, from the beginning."""
    row = program(row, at, "Pending")
    return replace(
        row, platform_version=platform, version=row.version + 1, program_version=row.program_version + 1
    )


def _resources(
    row: PipelineRow, at: Micros, status: str, error: Failure | None, **fields: Any
) -> PipelineRow:
    """Write the resources status, and null for whatever is not given, as `set_deployment_resources_status` does."""
    nulls: dict[str, Any] = {
        "resources_details": None,
        "runtime": None,
        "runtime_since": None,
        "runtime_details": None,
        "runtime_desired": None,
        "runtime_desired_since": None,
        "deployment_config": None,
    }
    return replace(
        row,
        **(nulls | fields),
        resources=status,
        resources_since=row.resources_since if row.resources == status else at,
        error=error,
        refresh_version=row.refresh_version + 1,
    )


def provisioning(row: PipelineRow, at: Micros, deployment_id: str) -> PipelineRow:
    """Stopped -> Provisioning, with a new deployment."""
    return _resources(row, at, "Provisioning", None, deployment_id=deployment_id)


def provisioned(row: PipelineRow, at: Micros, resources_details: Any) -> PipelineRow:
    """Provisioning -> Provisioned, with Initializing set by the runner."""
    return _resources(
        row,
        at,
        "Provisioned",
        None,
        resources_details=resources_details,
        runtime="Initializing",
        runtime_since=at,
        runtime_details={"reason": "initializing set by the runner"},
        runtime_desired=row.initial,
        runtime_desired_since=at,
    )


def stopping(row: PipelineRow, at: Micros, error: Failure | None) -> PipelineRow:
    """Any but Stopped -> Stopping; the deployment's id stays."""
    return _without_start(_resources(row, at, "Stopping", error))


def stopped(row: PipelineRow, at: Micros) -> PipelineRow:
    """Stopping -> Stopped; an error stays."""
    return _without_start(_resources(row, at, "Stopped", row.error, deployment_id=None))


def failed_start(row: PipelineRow, at: Micros, error: Failure) -> PipelineRow:
    """Stopped stays Stopped, with an error (`remain_deployment_resources_status_stopped`)."""
    return _without_start(_resources(row, at, "Stopped", error, deployment_id=None))


def detailed(row: PipelineRow, resources_details: Any) -> PipelineRow:
    """Provisioning or Stopping remains, its details are new."""
    return replace(row, resources_details=resources_details, refresh_version=row.refresh_version + 1)


def resized(row: PipelineRow, config: dict[str, Any]) -> PipelineRow:
    """Answer a PATCH of `deployment_config`: only what runs can be resized."""
    if row.runtime != "Running":
        raise refusal("DeploymentRestrictedToRunning")
    return replace(row, deployment_config={"resources": config}, refresh_version=row.refresh_version + 1)


def observed(row: PipelineRow, at: Micros, seen: RunnerObservation) -> PipelineRow:
    """Provisioned remains: write what the runner saw (`remain_deployment_resources_status`)."""
    return replace(
        row,
        resources_details=seen.resources_details,
        runtime=seen.runtime,
        runtime_since=row.runtime_since if row.runtime == seen.runtime else at,
        runtime_details=seen.runtime_details,
        runtime_desired=seen.desired,
        runtime_desired_since=row.runtime_desired_since if row.runtime_desired == seen.desired else at,
        storage_details=row.storage_details if seen.storage_details is None else seen.storage_details,
        refresh_version=row.refresh_version + 1,
    )


def check_name(name: str) -> None:
    """Refuse a name that is too long or does not match the pattern."""
    if len(name) > 63:
        raise refusal("TooLongName", name=name, length=len(name), max_length=63)
    if not _NAME.fullmatch(name):
        wanted = "consist of letters, digits, '-' and '_', and begin and end with a letter or digit"
        raise refusal("NameDoesNotMatchPattern", name=name, pattern=NAME_PATTERN, pattern_description=wanted)


def edited(row: PipelineRow, at: Micros, edit: Mapping[str, Any]) -> tuple[PipelineRow, ...]:
    """Change a row's core fields (`update_pipeline`); a no-op records nothing."""
    edit = {field: value for field, value in edit.items() if getattr(row, field) != value}
    if not edit:
        return ()
    if not fully_stopped(row):
        raise refusal("UpdateRestrictedToStopped")
    if row.storage_status != "Cleared":
        config = edit.get("runtime_config", row.runtime_config)
        bound = ["`name`"] * ("name" in edit) + [
            f"`runtime_config.{key}`"
            for key in _BOUND_TO_STORAGE
            if config.get(key) != row.runtime_config.get(key)
        ]
        if bound:
            raise refusal("EditRestrictedToClearedStorage", not_allowed=bound)
    row = replace(row, **edit, version=row.version + 1, refresh_version=row.refresh_version + 1)
    if not _PROGRAM.isdisjoint(edit):
        row = replace(
            row,
            program_version=row.program_version + 1,
            program_status="Pending",
            program_status_since=at,
            program_failure=None,
        )
    return (row,)


def check_deletable(row: PipelineRow) -> None:
    """Refuse to delete what is not fully stopped, or has storage."""
    if not fully_stopped(row):
        raise refusal("DeleteRestrictedToFullyStopped")
    if row.storage_status != "Cleared":
        raise refusal("DeleteRestrictedToClearedStorage")
