"""Short ways to make observations, events and rows for tests; instants in seconds after an arbitrary epoch."""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from feldera_exporter.feldera.wire import ErrorResponse, Event, Row
from feldera_exporter.history.history import History
from feldera_exporter.history.initial import initial_history
from feldera_exporter.history.observation import Observation

EPOCH: Final = 1_787_313_600
SECOND: Final = 1_000_000


def instant(seconds: float) -> int:
    """Return an instant in microseconds."""
    return EPOCH * SECOND + round(seconds * SECOND)


def moment(micros: int) -> datetime:
    """Return an instant as the wire does."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


def text(seconds: float) -> str:
    """Return an instant as Feldera writes it."""
    return moment(instant(seconds)).isoformat().replace("+00:00", "Z")


def identity(seconds: float, serial: int = 0) -> str:
    """Return the UUIDv7 that a process with a right clock makes at an instant."""
    digits = f"{instant(seconds) // 1000:012x}"
    return f"{digits[:8]}-{digits[8:]}-7{serial:03x}-8000-000000000000"


def seen(at: float, statuses: str, *, made: float | None = None, serial: int = 0) -> Observation:
    """Return an observation of an event from `resources/runtime/program/storage`, with `!` for an error at the end.

    A part may be left out: Stopped, none, Success and InUse stand in.
    """
    error = statuses.endswith("!")
    parts = [*statuses.rstrip("!").split("/"), "", "", "", ""]
    return Observation(
        at=instant(at),
        event_id=identity(at if made is None else made, serial),
        resources=parts[0] or "Stopped",
        runtime=parts[1] or None,
        program=parts[2] or "Success",
        storage=parts[3] or "InUse",
        has_error=error,
    )


def row(at: float, statuses: str, *, program_at: float = 0, desired_at: float = 0, name: str = "p") -> Row:
    """Return a row whose deployment changed at an instant; the statuses as in `seen`."""
    observation = seen(at, statuses)
    when = text(at)
    runtime = {
        "deployment_runtime_status": observation.runtime,
        "deployment_runtime_status_since": when,
        "deployment_runtime_desired_status": "Running",
        "deployment_runtime_desired_status_since": when,
    }
    error = {"message": "It failed.", "error_code": "RunnerCheckError"} if observation.has_error else None
    fields = {
        "id": f"id-of-{name}",
        "name": name,
        "created_at": text(-1000),
        "program_status": observation.program,
        "program_status_since": text(program_at),
        "storage_status": observation.storage,
        "deployment_status": observation.runtime or observation.resources,
        "deployment_status_since": when,
        "deployment_desired_status": "Running",
        "deployment_desired_status_since": text(desired_at),
        "deployment_resources_status": observation.resources,
        "deployment_resources_status_since": when,
        "deployment_resources_desired_status": "Provisioned",
        "deployment_resources_desired_status_since": text(desired_at),
        "deployment_error": error,
        **(runtime if observation.runtime else {}),
    }
    return msgspec.convert(fields, Row)


def event(observation: Observation, code: str | None = None) -> Event:
    """Return the event that an observation was made of."""
    assert observation.event_id is not None
    return Event(
        event_id=observation.event_id,
        recorded_at=moment(observation.at),
        deployment_resources_status=observation.resources,
        deployment_resources_desired_status="Provisioned",
        deployment_has_error=observation.has_error,
        program_status=observation.program,
        storage_status=observation.storage,
        deployment_runtime_status=observation.runtime,
        deployment_error=ErrorResponse(error_code=code) if code else None,
    )


def begun(at: float, statuses: str, *, seen_at: float | None = None, desired_at: float = 0) -> History:
    """Return the history of a pipeline first seen with statuses that began at an instant."""
    first = at if seen_at is None else seen_at
    return initial_history(row(at, statuses, desired_at=desired_at), instant(first), instant(first))
