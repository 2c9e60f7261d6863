"""Feldera's JSON as frozen values, with the API's field names.

Shapes: pipeline-manager `api/endpoints/pipeline_management.rs` (`PipelineSelectedInfoInternal`, selector=status),
`.../pipeline_events.rs`, `.../config.rs`, `.../cluster_health*.rs`. Unknown fields are ignored. Fields that older
servers lack have defaults; the fields of a pipeline's state are required. The length of what becomes a label is
limited; Feldera never reaches the limit. An unreadable field that is only a label or a number does not make the
pipeline unreadable.
"""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec.structs import asdict, replace

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""An instant with a time zone."""

_LONGEST: Final = 200
_MOST_TAGS: Final = 200

Text = Annotated[str, msgspec.Meta(max_length=_LONGEST)]
"""A text that becomes a label or a part of a path."""


class ErrorResponse(msgspec.Struct, frozen=True, gc=False):
    """Feldera's error value (`feldera-types` `error.rs`)."""

    message: str = ""
    error_code: str = ""


CUT: Final = "feldera_exporter_cut"
"""The field that says which texts of an error are cut: no name of Feldera's."""


REFUSED: Final = "feldera_exporter_refused"
"""The field that says why an element of a list could not be decoded: no name of Feldera's."""


class Cut(msgspec.Struct, frozen=True, gc=False):
    """The original of a JSON value of which only the beginning is kept.

    Attributes:
        size: its size in bytes.
        checksum: its CRC-32.
    """

    size: int
    checksum: int


class Cuts(msgspec.Struct, frozen=True, gc=False):
    """The cut fields of an error; None for a complete one."""

    message: Cut | None = None
    details: Cut | None = None


class FullError(ErrorResponse, frozen=True, gc=False):
    """Feldera's error value with its details, which are any JSON. Long texts are cut.

    Cut details are a JSON string: the beginning of their text.
    """

    details: msgspec.Raw = msgspec.Raw(b"null")
    cuts: Cuts = msgspec.field(name=CUT, default=Cuts())


Tags = Annotated[tuple[Text, ...], msgspec.Meta(max_length=_MOST_TAGS)]
"""A pipeline's tags; Feldera allows 50."""


class ProgramConfig(msgspec.Struct, frozen=True, gc=False):
    """The part of `program_config` that is shown."""

    profile: Text | None = None


class _State(msgspec.Struct, frozen=True, gc=False):
    """The required fields of a pipeline: its identity and its state."""

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
    deployment_error: FullError | None = None
    deployment_id: Text | None = None


class Row(_State, frozen=True, gc=False):
    """One pipeline of `GET /v0/pipelines?selector=status`, without the fields that change while nothing happens."""

    platform_version: Text = ""
    program_config: ProgramConfig | None = None
    tags: Tags = ()

    @property
    def profile(self) -> str:
        """The profile of the program's configuration; empty without one."""
        return (self.program_config and self.program_config.profile) or ""


_ROW: Final = msgspec.json.Decoder(Row)
_STATE: Final = msgspec.json.Decoder(_State)


def row(element: bytes) -> Row:
    """Return the row of an element of the list.

    If a field that is only a label cannot be read, the row is without labels.

    Raises:
        msgspec.DecodeError: the element cannot be read.
    """
    try:
        return _owned(_ROW.decode(element))
    except msgspec.ValidationError:
        return _owned(Row(**asdict(_STATE.decode(element))))


def _owned(read: Row) -> Row:
    """Return the row with a copy of the details: as a view they would keep the whole list in memory."""
    error = read.deployment_error
    if error is None:
        return read
    return replace(read, deployment_error=replace(error, details=error.details.copy()))


class Progress(msgspec.Struct, frozen=True, gc=False):
    """The fields of an element that change while nothing happens to the pipeline; see `Row`.

    Attributes:
        refresh_version: Feldera's `refresh_version`, None if it cannot be read.
        connector_errors: errors of all connectors since the pipeline's start, None if Feldera does not report them.
    """

    refresh_version: int | None = None
    connector_errors: int | None = None


class _Moving(msgspec.Struct, frozen=True, gc=False):
    # Any JSON, which may be long and is not decoded.
    deployment_runtime_status_details: msgspec.Raw = msgspec.Raw(b"null")
    # It may be negative, by the API's description.
    refresh_version: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | None = None


class _ConnectorStats(msgspec.Struct, frozen=True, gc=False):
    num_errors: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None


class _Details(msgspec.Struct, frozen=True, gc=False):
    connector_stats: _ConnectorStats | None = None


FIELDS: Final = tuple(dict.fromkeys((*Row.__struct_fields__, *_Moving.__struct_fields__)))
"""The fields of an element of the list that are read."""

_MOVING: Final = msgspec.json.Decoder(_Moving)
_DETAILS: Final = msgspec.json.Decoder(_Details)


def progress(element: bytes) -> Progress:
    """Return the progress of an element of the list; empty if its fields cannot be read.

    Raises:
        msgspec.DecodeError: the element cannot be read.
    """
    try:
        moving = _MOVING.decode(element)
    except msgspec.ValidationError:
        return Progress()
    try:
        stats = _DETAILS.decode(moving.deployment_runtime_status_details).connector_stats
    except msgspec.ValidationError:
        # Before v0.322 the details had other types, without connectors.
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


class FullEvent(msgspec.Struct, frozen=True, gc=False):
    """The fields of `GET /v0/pipelines/{name}/events/{id}?selector=all` beyond an `Event`; details are any JSON."""

    event_id: Text
    deployment_error: FullError | None = None
    deployment_resources_status_details: msgspec.Raw = msgspec.Raw(b"null")
    deployment_runtime_status_details: msgspec.Raw = msgspec.Raw(b"null")
