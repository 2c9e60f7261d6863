"""A simulated Feldera whose clock steps back and forth."""

from bisect import bisect_right
from collections import defaultdict
from datetime import datetime
from random import Random
from typing import Final

import msgspec

from feldera_exporter.feldera.errors import NotFoundError
from feldera_exporter.micros import SECOND, from_datetime
from feldera_exporter.simulator.api_errors import ApiError
from feldera_exporter.simulator.events import EventRow
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.http_messages import encode
from feldera_exporter.simulator.json_rendering import event_json
from feldera_exporter.simulator.timestamps import instant_text
from feldera_exporter.simulator.uuid7 import uuid_text
from support.exporter_driver import InProcessApi

YEAR: Final = 365 * 24 * 3600
"""Seconds."""
PULSES: Final = 0.1
"""The share of steps before which the clock is a year ahead for half a second."""
DAY: Final = 24 * 3600
"""Seconds: more than any step."""
_MILLISECONDS_AT: Final = 80
"""The bit of a UUIDv7 at which its milliseconds begin."""


class SteppingClock:
    """Feldera's clock, which steps; the clock of the simulation runs evenly.

    It steps at most once between two lists, or twice within half a second: nothing that an exporter can read says that a
    clock went wrong and came right again in between.

    Args:
        random: draws the steps.
        began: the instant of the simulation from which on they lie.
        lasts: seconds over which they lie.
    """

    def __init__(self, random: Random, began: int, lasts: float) -> None:
        self._instants = [0]
        self._offsets = [0]
        self._latest = 0
        self._coming: list[tuple[int, tuple[int, ...]]] = []
        for _ in range(random.randint(1, 6)):
            seconds = random.choice(
                (0, random.uniform(8, 59), random.uniform(60, 1800), random.uniform(3600, 25_000))
            )
            offset = round(random.choice((-1, 1)) * seconds * SECOND)
            offsets = (YEAR * SECOND, offset) if random.random() < PULSES else (offset,)
            self._coming.append((began + round(random.uniform(1, lasts) * SECOND), offsets))
        self._coming.sort()

    def settle(self, instant: int) -> None:
        """Apply the next step, if it is due at an instant of the simulation."""
        if self._coming and self._coming[0][0] <= instant:
            at, offsets = self._coming.pop(0)
            for number, offset in enumerate(offsets):
                self._instants.append(max(at, self._latest + 1) + number * SECOND // 2)
                self._offsets.append(offset)

    def read(self, instant: int) -> int:
        """Return what the clock says at an instant of the simulation, in microseconds."""
        self._latest = max(self._latest, instant)
        return instant + self._offsets[bisect_right(self._instants, instant) - 1]


class SteppingApi(InProcessApi):
    """The answers of a Feldera whose clock steps.

    Args:
        feldera: the simulation; it purges nothing.
        clock: the clock of its database.
        retention: how many events of a pipeline are kept: the newest by that clock.
        ids: whether the clock of its manager, which makes the ids of events, steps too.
        old_until: pipelines created up to this instant of the simulation are listed as a day older: no step of the clock
            goes back to before their creation.
    """

    def __init__(
        self, feldera: Feldera, clock: SteppingClock, retention: int, *, ids: bool, old_until: int = 0
    ) -> None:
        super().__init__(feldera)
        self._clock = clock
        self._retention = retention
        self._ids = ids
        self._old_until = old_until
        self._purged: defaultdict[str, set[int]] = defaultdict(set)

    def list(self) -> bytes:
        """Answer `GET /v0/pipelines?selector=status`."""
        rows = msgspec.json.decode(super().list())
        for row in rows:
            for field, value in row.items():
                if value is not None and (field == "created_at" or field.endswith("_since")):
                    instant = _micros(value)
                    is_old = field == "created_at" and instant <= self._old_until
                    earlier = DAY * SECOND if is_old else 0
                    row[field] = instant_text(self._clock.read(instant) - earlier)
        return msgspec.json.encode(rows)

    def log(self, name: str, event_id: str | None = None) -> bytes:
        """Answer `GET …/events?selector=status`, or `GET …/events/{id}?selector=all`."""
        self._feldera.settle()
        try:
            pipeline = self._feldera.get(name)
        except ApiError as error:
            raise NotFoundError("404: UnknownPipelineName") from error
        purged = self._purged[pipeline.id]
        events = [self._stepped(event) for event in pipeline.log]
        events = [event for event in events if event.event_id not in purged]
        events.sort(key=lambda event: (event.recorded_at, event.event_id), reverse=True)
        purged.update(event.event_id for event in events[self._retention :])
        del events[self._retention :]
        if event_id is None:
            return b"[%b]" % b",".join(map(self._event, events))
        for event in events:
            if uuid_text(event.event_id) == event_id:
                return encode(event_json(event, "all"))
        raise NotFoundError("404: UnknownPipelineMonitorEvent")

    def _stepped(self, event: EventRow) -> EventRow:
        offset = self._clock.read(event.recorded_at) - event.recorded_at
        shifted = event.event_id + ((offset // 1000) << _MILLISECONDS_AT) if self._ids else event.event_id
        return msgspec.structs.replace(event, recorded_at=event.recorded_at + offset, event_id=shifted)


def _micros(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text))
