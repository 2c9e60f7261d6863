"""An observation: a pipeline's statuses from an instant on, from its event log or from the list."""

from typing import Self

import msgspec

from feldera_exporter.feldera import wire
from feldera_exporter.micros import Micros, from_datetime


class Observation(msgspec.Struct, frozen=True, gc=False):
    """The statuses of one pipeline from an instant on.

    Attributes:
        at: when they began to hold, by Feldera's clock.
        event_id: the event; None for a row of the list.
        resources: `deployment_resources_status`.
        runtime: `deployment_runtime_status`, None while there is none.
        program: `program_status`.
        storage: `storage_status`.
        has_error: whether `deployment_error` is set.
        error_code: its code, None while unknown: events of selector=status do not carry it.
        resources_desired: `deployment_resources_desired_status`; like the next one it only serves to find the order.
        runtime_desired: `deployment_runtime_desired_status`.
    """

    at: Micros
    event_id: str | None
    resources: str
    runtime: str | None
    program: str
    storage: str
    has_error: bool
    error_code: str | None = None
    resources_desired: str | None = None
    runtime_desired: str | None = None

    @classmethod
    def from_event(cls, event: wire.Event) -> Self:
        """Return the observation of an event."""
        return cls(
            at=from_datetime(event.recorded_at),
            event_id=event.event_id,
            resources=event.deployment_resources_status,
            runtime=event.deployment_runtime_status,
            program=event.program_status,
            storage=event.storage_status,
            has_error=event.deployment_has_error,
            error_code=event.deployment_error.error_code if event.deployment_error else None,
            resources_desired=event.deployment_resources_desired_status,
            runtime_desired=event.deployment_runtime_desired_status,
        )

    @classmethod
    def from_row(cls, row: wire.Row, listed_at: Micros, after: Micros = 0) -> Self:
        """Return the observation of a row, as for servers without an event log.

        Args:
            row: the pipeline as listed now.
            listed_at: the instant of the list: the time of a change without a new `*_since`, such as one of the storage
                status or the dismissal of an error.
            after: the newest instant folded before; only later ones are the time of a change. All in microseconds by
                Feldera's clock.
        """
        moved = [at for at in instants(row) if at > after]
        return cls(
            at=max(moved, default=listed_at),
            event_id=None,
            resources=row.deployment_resources_status,
            runtime=row.deployment_runtime_status,
            program=row.program_status,
            storage=row.storage_status,
            has_error=row.deployment_error is not None,
            error_code=row.deployment_error.error_code if row.deployment_error else None,
        )


def instants(row: wire.Row) -> tuple[Micros, ...]:
    """Return every `*_since` of a row, in microseconds.

    Feldera sets each in the transaction that writes the event, both from the transaction's start, so each of them
    is the `recorded_at` of an event (pipeline-manager `db/operations/pipeline.rs`).
    """
    since = (
        row.deployment_resources_status_since,
        row.deployment_resources_desired_status_since,
        row.program_status_since,
        row.deployment_runtime_status_since,
        row.deployment_runtime_desired_status_since,
    )
    return tuple(from_datetime(instant) for instant in since if instant is not None)
