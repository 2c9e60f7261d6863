"""The initial history of a pipeline: the statuses of its first row, with nothing counted from before."""

from typing import Final

from feldera_exporter.feldera import wire
from feldera_exporter.history import status_time
from feldera_exporter.history.history import Counts, Errors, History, Since, Statuses
from feldera_exporter.history.log_position import LogPosition
from feldera_exporter.history.observation import instants
from feldera_exporter.history.row_digest import row_digest
from feldera_exporter.micros import Micros, from_datetime

_CREATED: Final = Statuses(resources="Stopped", runtime=None, program="Pending", storage="Cleared")
"""What Feldera's create operation writes (pipeline-manager `db/operations/pipeline.rs`)."""


def initial_history(row: wire.Row, listed_at: Micros, as_of: Micros) -> History:
    """Return the history of a pipeline that existed before it was first listed.

    Args:
        row: the pipeline as first listed.
        listed_at: the instant of that list.
        as_of: from when on time is credited; both by Feldera's clock.

    Returns:
        A history that agrees with the row, except with an error or while the storage is being cleared: then it agrees
        with no row, so that the log is read, which has a time that the row has not.
    """
    error = row.deployment_error
    runtime_since = row.deployment_runtime_status_since
    statuses = Statuses(
        resources=row.deployment_resources_status,
        runtime=row.deployment_runtime_status,
        program=row.program_status,
        storage=row.storage_status,
    )
    since = Since(
        resources=from_datetime(row.deployment_resources_status_since),
        runtime=None if runtime_since is None else from_datetime(runtime_since),
        program=from_datetime(row.program_status_since),
        storage=listed_at,
    )
    watched_from = max(as_of, since.resources or 0, since.runtime or 0)
    return History(
        statuses=statuses,
        since=since,
        counts=Counts(),
        status_time=status_time.begin(statuses.combined, watched_from),
        errors=Errors(present=True, code=error.error_code, at=row_error_at(row)) if error else Errors(),
        log_position=LogPosition(newest=max(instants(row)), listed_at=listed_at),
        row_digest=b"" if error or row.storage_status == "Clearing" else row_digest(row),
        row_instants=instants(row),
        appeared=listed_at,
    )


def initial_history_from_creation(row: wire.Row, listed_at: Micros) -> History:
    """Return the history of a pipeline that was created while the instance was watched: counted from its creation.

    It agrees with no row, so that the log is read. `listed_at` is the instant of the first list with the pipeline.
    """
    at = from_datetime(row.created_at)
    return History(
        statuses=_CREATED,
        since=Since(resources=at, runtime=None, program=at, storage=at),
        counts=Counts(),
        status_time=status_time.begin(_CREATED.combined, at),
        errors=Errors(),
        log_position=LogPosition(newest=at, listed_at=at),
        row_instants=(at,),
        appeared=listed_at,
    )


def row_error_at(row: wire.Row) -> Micros:
    """Return when a row's error was set, as far as a row shows it.

    Feldera sets the error, Stopping and the desired status Stopped in one transaction, and keeps the error when Stopping
    becomes Stopped (pipeline-manager `db/storage_postgres.rs`).
    """
    if row.deployment_resources_status == "Stopping":
        return from_datetime(row.deployment_resources_status_since)
    return from_datetime(row.deployment_resources_desired_status_since)
