"""The fields of a listed pipeline that change only with an event of its log, and a digest of them."""

from hashlib import blake2b
from typing import Final

from feldera_exporter.feldera import wire

_SIZE: Final = 12


def event_fields(row: wire.Row) -> tuple[object, ...]:
    """Return the fields of a row that change only together with an event of its log.

    Not metadata (name, tags, description); not `refresh_version` and the runtime details, which change every ten seconds
    while connectors report, whether or not a status changed.
    """
    error = row.deployment_error
    return (
        row.deployment_resources_status,
        row.deployment_resources_status_since,
        row.deployment_resources_desired_status,
        row.deployment_resources_desired_status_since,
        row.deployment_runtime_status,
        row.deployment_runtime_status_since,
        row.deployment_runtime_desired_status,
        row.deployment_runtime_desired_status_since,
        row.program_status,
        row.program_status_since,
        row.storage_status,
        row.deployment_id,
        # What identifies an error, however much of its message was cut off.
        error and (error.error_code, error.cuts.message or error.message),
    )


def row_digest(row: wire.Row) -> bytes:
    """Return a digest of `event_fields`: equal for two rows between which nothing can have been written to the log."""
    text = "\x1f".join(map(str, event_fields(row)))
    return blake2b(text.encode(), digest_size=_SIZE).digest()
