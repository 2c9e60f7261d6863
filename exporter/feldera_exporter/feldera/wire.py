"""Feldera's JSON as frozen values: the only place that knows the API's field names.

Shapes: pipeline-manager `api/endpoints/pipeline_management.rs` (`PipelineSelectedInfoInternal`, selector=status),
`.../pipeline_events.rs`, `.../config.rs`, `.../cluster_health*.rs`. Unknown fields are ignored. Fields that older
servers lack have defaults; a field without which nothing can be said is required. What becomes a label has a length
that Feldera never reaches and a hostile answer does not exceed.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import msgspec

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""An instant that says of which time zone it is: without one it means nothing."""

Text = Annotated[str, msgspec.Meta(max_length=200)]
"""A text that becomes a label or a part of a path."""

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""A number of things."""


def micros(instant: datetime) -> int:
    """Return an instant as whole microseconds since the Unix epoch, exactly."""
    return (instant - _EPOCH) // _MICROSECOND


class ErrorResponse(msgspec.Struct, frozen=True, gc=False):
    """Feldera's error value (`feldera-types` `error.rs`), as answered and as kept in `deployment_error`."""

    message: str = ""
    error_code: str = ""


Tags = Annotated[tuple[Text, ...], msgspec.Meta(max_length=200)]
"""A pipeline's tags; Feldera allows 50."""


class ProgramConfig(msgspec.Struct, frozen=True, gc=False):
    """The part of `program_config` that is shown."""

    profile: Text | None = None


class Row(msgspec.Struct, frozen=True, gc=False):
    """What one pipeline of `GET /v0/pipelines?selector=status` is, without what moves while nothing happens."""

    id: Text
    name: Text
    created_at: Instant
    program_status: Text
    program_status_since: Instant
    storage_status: Text
    deployment_status: Text
    deployment_status_since: Instant
    deployment_desired_status: Text
    deployment_desired_status_since: Instant
    deployment_resources_status: Text
    deployment_resources_status_since: Instant
    deployment_resources_desired_status: Text
    deployment_resources_desired_status_since: Instant
    deployment_runtime_status: Text | None = None
    deployment_runtime_status_since: Instant | None = None
    deployment_runtime_desired_status: Text | None = None
    deployment_runtime_desired_status_since: Instant | None = None
    deployment_error: ErrorResponse | None = None
    deployment_id: Text | None = None
    platform_version: Text = ""
    program_config: ProgramConfig = ProgramConfig()
    tags: Tags = ()


class Progress(msgspec.Struct, frozen=True, gc=False):
    """What moves in the same element while nothing happens to the pipeline; see `Row`.

    Attributes:
        refresh_version: Feldera's `refresh_version`.
        connector_errors: errors of all connectors since the pipeline's start, None where Feldera does not report them.
    """

    refresh_version: int = 0
    connector_errors: int | None = None


class _Moving(msgspec.Struct, frozen=True, gc=False):
    refresh_version: Count = 0
    # Any JSON: it is not built, since it may be long.
    deployment_runtime_status_details: msgspec.Raw = msgspec.Raw(b"null")


class _ConnectorStats(msgspec.Struct, frozen=True, gc=False):
    num_errors: Count | None = None


class _Details(msgspec.Struct, frozen=True, gc=False):
    connector_stats: _ConnectorStats | None = None


_MOVING: Final = msgspec.json.Decoder(_Moving)
_DETAILS: Final = msgspec.json.Decoder(_Details)


def progress(element: bytes) -> Progress:
    """Return what moves in an element of the list.

    Raises:
        msgspec.DecodeError: it cannot be read.
    """
    moving = _MOVING.decode(element)
    try:
        stats = _DETAILS.decode(moving.deployment_runtime_status_details).connector_stats
    except msgspec.ValidationError:
        # Before v0.322 the details were other JSON types: those say nothing of connectors.
        stats = None
    return Progress(moving.refresh_version, stats.num_errors if stats is not None else None)


class Event(msgspec.Struct, frozen=True, gc=False):
    """One pipeline monitor event of `GET /v0/pipelines/{name}/events?selector=status`."""

    event_id: Text
    recorded_at: Instant
    deployment_resources_status: Text
    deployment_resources_desired_status: Text
    deployment_has_error: bool
    program_status: Text
    storage_status: Text
    deployment_runtime_status: Text | None = None
    deployment_runtime_desired_status: Text | None = None
    # Only with selector=all.
    deployment_error: ErrorResponse | None = None


class FullError(msgspec.Struct, frozen=True, gc=False):
    """Feldera's error value with its details, which are any JSON and may be long."""

    message: str = ""
    error_code: str = ""
    details: msgspec.Raw = msgspec.Raw(b"null")


class FullEvent(msgspec.Struct, frozen=True, gc=False):
    """What `GET /v0/pipelines/{name}/events/{id}?selector=all` tells beyond an `Event`; details are any JSON."""

    event_id: Text
    deployment_error: FullError | None = None
    deployment_resources_status_details: msgspec.Raw = msgspec.Raw(b"null")
    deployment_runtime_status_details: msgspec.Raw = msgspec.Raw(b"null")
