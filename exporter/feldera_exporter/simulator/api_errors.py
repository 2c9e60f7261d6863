"""The errors of Feldera's API, as a table (pipeline-manager `db/error.rs`, `runner/error.rs`)."""

import re
from collections.abc import Mapping
from typing import Any, Final

from feldera_exporter.errors import ExporterError

NAME_PATTERN: Final = "^([A-Za-z0-9][-A-Za-z0-9_]*)?[A-Za-z0-9]$"

_STATUSES_AND_MESSAGES: Final[Mapping[str, tuple[int, str]]] = {
    "AwaitingApproval": (503, "The pipeline awaits approval."),
    "CannotRenameNonExistingPipeline": (400, "A pipeline that is not there cannot be renamed."),
    "CannotStartWhileClearingStorage": (400, "The storage is still being cleared."),
    "CannotStartWithCompilationError": (400, "The program did not compile; edit it first."),
    "CannotStartWithUndismissedError": (400, "The deployment_error must be dismissed before the start."),
    "DeleteRestrictedToClearedStorage": (400, "The storage must be cleared before a pipeline is deleted."),
    "DeleteRestrictedToFullyStopped": (400, "A pipeline must be fully stopped before it is deleted."),
    "DeploymentRestrictedToRunning": (
        400,
        "Pipeline 'deployment_config' can only be changed while it is running.",
    ),
    "DismissErrorRestrictedToFullyStopped": (400, "An error can only be dismissed while fully stopped."),
    "DuplicateName": (409, "An entity with this name already exists"),
    "EditRestrictedToClearedStorage": (400, "Only while the storage is cleared can be edited: {not_allowed}"),
    "EnterpriseFeature": (
        501,
        "Cannot use enterprise-only feature ({feature}) in Feldera community edition.",
    ),
    "IllegalPipelineAction": (
        400,
        "The resources are '{status}' (desired: '{current_desired_status}'), not '{new_desired_status}'. {hint}",
    ),
    "InitialImmutableUnlessStopped": (400, "The initial status can only be chosen while stopped."),
    "InitialStandbyNotAllowed": (400, "Standby needs file storage with synchronization configured."),
    "Initializing": (503, "The pipeline is initializing."),
    "InsufficientPermissions": (
        403,
        "Insufficient permissions: this action requires the '{required}' role, but the caller has '{actual}'",
    ),
    "InvalidTransition": (400, "A pipeline that is to be {current} cannot be {target} next."),
    "InvalidDeploymentPatch": (400, "Invalid deployment patch: {reason}"),
    "InvalidLogCursorParam": (400, "Invalid log cursor '{value}': {error}"),
    "InvalidRuntimeConfig": (400, "The runtime configuration is not valid: {error}"),
    "InvalidSupportBundleParameter": (400, "Invalid support bundle parameter: {reason}"),
    "InvalidUuidParam": (400, "Invalid UUID string '{value}': {error}"),
    "LockTookTooLong": (503, "The lock could not be had within 10 seconds."),
    "NameDoesNotMatchPattern": (400, "Name '{name}' should {pattern_description} (pattern: '{pattern}')"),
    "NoClusterMonitorEventsAvailable": (404, "There are no cluster events yet."),
    "NoPipelineMonitorEventsAvailable": (404, "There are no events of this pipeline."),
    "PipelineInteractionNotDeployed": (
        503,
        "Pipeline {pipeline_name} is not deployed: its resources are {status} (desired: {desired_status})",
    ),
    "PipelineInteractionUnreachable": (503, "Request {request} to pipeline {pipeline_name} failed: {error}"),
    "PipelineUnavailable": (503, "Pipeline {pipeline_name} is unavailable."),
    "PostgresPoolError": (500, "Postgres connection pool error: '{error}'"),
    "StorageStatusImmutableUnlessStopped": (
        400,
        "Storage cannot go from '{current_status}' to '{new_status}' unless the pipeline is fully stopped.",
    ),
    "TooLongName": (400, "Name '{name}' has {length} characters, at most {max_length} are allowed."),
    "UnexpectedBootstrap": (400, "The pipeline awaits no approval."),
    "UnknownClusterMonitorEvent": (404, "There is no cluster event {event_id}."),
    "UnknownPipelineMonitorEvent": (404, "There is no event {event_id}."),
    "UnknownPipelineName": (404, "Unknown pipeline name '{pipeline_name}'"),
    "UnsupportedPipelineAction": (405, "Unsupported pipeline action '{action}': {reason}"),
    "UpdateRestrictedToStopped": (
        400,
        "Pipeline can only be updated while stopped. Stop it first by invoking '/stop'.",
    ),
}
"""The HTTP status and the message of each error code; the message is filled from the details."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

_BY_THE_PIPELINE: Final = frozenset({"Initializing", "AwaitingApproval"})
"""What a pipeline answers itself, so that the manager adds no Retry-After."""


class ApiError(ExporterError):
    """An operation that Feldera's API answers with an error.

    Attributes:
        status: the HTTP status.
        error_code: Feldera's name of the error.
        message: a sentence for people.
        details: JSON that depends on the error code; empty where it has none.
    """

    def __init__(self, status: int, error_code: str, message: str, details: Mapping[str, Any]) -> None:
        super().__init__(f"{error_code}: {message}")
        self.status = status
        self.error_code = error_code
        self.message = message
        self.details = details

    @property
    def retry_after(self) -> bool:
        """Whether the answer has a Retry-After: a 503 that the manager itself makes."""
        return self.status == 503 and self.error_code not in _BY_THE_PIPELINE


def refusal(error_code: str, **details: Any) -> ApiError:
    """Return the error of a code; the details are part of the answer and fill its message."""
    status, message = _STATUSES_AND_MESSAGES[error_code]
    return ApiError(status, error_code, message.format_map(details), details)


def check_uuid(value: str) -> None:
    """Refuse a parameter that is no UUID.

    Raises:
        ApiError: 400, it is none.
    """
    if _UUID.fullmatch(value):
        return
    wrong = re.search("[^0-9a-fA-F-]", value)
    error = (
        f"invalid length: expected length 32 for simple format, found {len(value)}"
        if wrong is None
        else "invalid character: expected an optional prefix of `urn:uuid:` followed by [0-9a-fA-F-], "
        f"found `{wrong[0]}` at {wrong.start() + 1}"
    )
    raise refusal("InvalidUuidParam", value=value, error=error)
