"""A pipeline's monitor events: what is recorded of a row, in which order, and how many are kept."""

from collections.abc import Iterator
from operator import attrgetter
from typing import Any, Final

import msgspec

from feldera_exporter.micros import Micros
from feldera_exporter.simulator.plan import Failure
from feldera_exporter.simulator.row import PipelineRow

_newest_first: Final = attrgetter("recorded_at", "event_id")


class EventStatuses(msgspec.Struct, frozen=True, gc=False):
    """The statuses that an event records; equal ones are shared between events."""

    resources: str
    resources_desired: str
    runtime: str | None
    runtime_desired: str | None
    has_error: bool
    program: str
    storage: str


class EventDetails(msgspec.Struct, frozen=True, gc=False):
    """What an event records besides the statuses; shared while a row's details stay the same."""

    resources: Any
    runtime: Any
    error: Failure | None
    storage: Any


class EventRow(msgspec.Struct, frozen=True, gc=False):
    """One row of the table `pipeline_monitor_event`; the id is a 128-bit integer."""

    event_id: int
    recorded_at: Micros
    statuses: EventStatuses
    details: EventDetails


_shared: Final[dict[EventStatuses, EventStatuses]] = {}


def record(event_id: int, recorded_at: Micros, row: PipelineRow, previous: EventRow | None) -> EventRow:
    """Return the event that Feldera writes about a row (`db/operations/pipeline_monitor.rs`)."""
    statuses = EventStatuses(
        row.resources,
        row.resources_desired,
        row.runtime,
        row.runtime_desired,
        row.error is not None,
        row.program_status,
        row.storage_status,
    )
    details = EventDetails(row.resources_details, row.runtime_details, row.error, row.storage_details)
    if previous is not None and previous.details == details:
        details = previous.details
    return EventRow(event_id, recorded_at, _shared.setdefault(statuses, statuses), details)


class RetainedLog:
    """The retained events of one pipeline, in the order of their commits; `trimmed` counts those that were deleted."""

    __slots__ = ("_events", "trimmed")

    def __init__(self) -> None:
        self._events: list[EventRow] = []
        self.trimmed = 0

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[EventRow]:
        return iter(self._events)

    def append(self, event: EventRow) -> None:
        """Keep an event that was committed."""
        self._events.append(event)

    @property
    def last(self) -> EventRow | None:
        """The event committed last, which is not always the one that Feldera lists first."""
        return self._events[-1] if self._events else None

    def newest_first(self) -> list[EventRow]:
        """Return the events as Feldera lists them: `recorded_at DESC, event_id DESC`."""
        return sorted(self._events, key=_newest_first, reverse=True)

    def trim(self, retention: int) -> None:
        """Delete all but the newest, ranked as they are listed (`delete_pipeline_monitor_events_exceeding_retention`)."""
        if len(self._events) > retention:
            self.trimmed += len(self._events) - retention
            kept = {event.event_id for event in self.newest_first()[:retention]}
            self._events = [event for event in self._events if event.event_id in kept]
