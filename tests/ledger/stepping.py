"""A simulated Feldera whose clock steps back and forth."""

from bisect import bisect_right
from collections import defaultdict
from datetime import datetime
from random import Random
from typing import Final

import msgspec

from driver import Api
from feldera_exporter.feldera.errors import NotFoundError
from feldera_exporter.feldera.wire import micros
from feldera_exporter.simulator.api_errors import ApiError
from feldera_exporter.simulator.clock import SECOND
from feldera_exporter.simulator.events import Event
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.http_messages import encode
from feldera_exporter.simulator.json_rendering import event_json
from feldera_exporter.simulator.timestamps import instant_text
from feldera_exporter.simulator.uuid7 import uuid_text

YEAR: Final = 365 * 24 * 3600
_MILLISECONDS_AT: Final = 80
"""The bit of a UUIDv7 at which its milliseconds begin."""


class SteppingClock:
    """How far Feldera's clock is from the simulation's, which runs evenly.

    Args:
        random: draws the steps.
        began: the instant of the simulation from which on they lie.
        lasts: seconds over which they lie.
    """

    def __init__(self, random: Random, began: int, lasts: float) -> None:
        steps = [(0, 0)]
        for _ in range(random.randint(1, 6)):
            at = began + round(random.uniform(1, lasts) * SECOND)
            off = random.choice(
                (0, 0, random.uniform(8, 59), random.uniform(60, 1800), random.uniform(3600, 25_000))
            )
            steps.append((at, round(random.choice((-1, 1)) * off * SECOND)))
        if random.random() < 0.3:
            at = began + round(random.uniform(1, lasts) * SECOND)
            steps += [(at, YEAR * SECOND), (at + SECOND // 2, 0)]
        steps.sort()
        self._instants = [at for at, _ in steps]
        self._offsets = [off for _, off in steps]

    def told(self, instant: int) -> int:
        """Return what the clock says at an instant of the simulation, in microseconds."""
        return instant + self._offsets[bisect_right(self._instants, instant) - 1]


class SteppingApi(Api):
    """What a Feldera answers whose clock steps.

    Args:
        feldera: the simulation; it purges nothing.
        clock: the clock of its database.
        retention: how many events of a pipeline are kept: the newest by that clock.
        ids: whether the clock of its manager, which makes the ids of events, steps too.
    """

    def __init__(self, feldera: Feldera, clock: SteppingClock, retention: int, *, ids: bool) -> None:
        super().__init__(feldera)
        self._clock = clock
        self._retention = retention
        self._ids = ids
        self._purged: defaultdict[str, set[int]] = defaultdict(set)

    def list(self) -> bytes:
        """Answer `GET /v0/pipelines?selector=status`."""
        rows = msgspec.json.decode(super().list())
        for row in rows:
            for field, value in row.items():
                if value is not None and (field == "created_at" or field.endswith("_since")):
                    row[field] = instant_text(self._clock.told(_micros(value)))
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

    def _stepped(self, event: Event) -> Event:
        offset = self._clock.told(event.recorded_at) - event.recorded_at
        shifted = event.event_id + ((offset // 1000) << _MILLISECONDS_AT) if self._ids else event.event_id
        return msgspec.structs.replace(event, recorded_at=event.recorded_at + offset, event_id=shifted)


def _micros(text: str) -> int:
    return micros(datetime.fromisoformat(text))
