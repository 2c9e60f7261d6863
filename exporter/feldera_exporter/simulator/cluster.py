"""The health of the cluster's services, and the monitor that records it (pipeline-manager `cluster_monitor.rs`)."""

from dataclasses import dataclass
from typing import Final

from feldera_exporter.feldera.statuses import SERVICES
from feldera_exporter.micros import SECOND, Micros
from feldera_exporter.simulator.event_queue import EventQueue
from feldera_exporter.simulator.uuid7 import Uuid7, uuid_text

INTERVAL: Final = 10 * SECOND
INTERVALS: Final = 60
"""A healthy cluster is recorded once in so many intervals."""

STALE_AFTER: Final = 3 * INTERVALS * INTERVAL
"""How old the last event may be before its health counts as stale."""

RETENTION: Final = 1000
RETENTION_AGE: Final = 72 * 3600 * SECOND


@dataclass(frozen=True, slots=True)
class ClusterEvent:
    """One row of the table `cluster_monitor_event`; `statuses` and `messages` are by service."""

    id: str
    recorded_at: Micros
    statuses: dict[str, str]
    messages: dict[str, str]

    @property
    def all_healthy(self) -> bool:
        """Whether every service is Healthy."""
        return all(status == "Healthy" for status in self.statuses.values())


class Cluster:
    """Polls three services every 10 seconds and writes down what changed, or that nothing did.

    Attributes:
        health: what each service would answer: None if well, else its message.
        running: whether the monitor runs; a dead one writes nothing, and the last event ages.
        events: what is retained, oldest first.
    """

    def __init__(self, event_queue: EventQueue, seed: int) -> None:
        self._event_queue = event_queue
        self._ids = Uuid7(f"cluster/{seed}")
        self._quiet = 0
        self._threshold = 1
        self.health: dict[str, str | None] = dict.fromkeys(SERVICES)
        self.running = True
        self.events: list[ClusterEvent] = []
        event_queue.at(event_queue.now, self._poll)

    def _poll(self) -> None:
        self._event_queue.at(self._event_queue.now + INTERVAL, self._poll)
        if not self.running:
            self._quiet = INTERVALS  # so that it writes at once when it runs again
            return
        well = not any(self.health.values())
        if self._is_due(well=well):
            self._quiet = 0
            self._insert()
        else:
            self._quiet += 1

    def restart(self) -> None:
        """Restart the monitor, which then writes at its next poll."""
        self._quiet = INTERVALS

    def _is_due(self, *, well: bool) -> bool:
        """Return whether this poll is recorded: a change, a heartbeat, or unhealthy with growing intervals.

        A new database gets two events at once: nothing is there to compare the first with.
        """
        if len(self.events) < 2 or self.events[-1].all_healthy != well:
            self._threshold = 1
            return True
        if well:
            return self._quiet >= INTERVALS - 1
        if self._quiet >= self._threshold - 1:
            self._threshold = min(self._threshold * 2, INTERVALS)
            return True
        return False

    def _insert(self) -> None:
        now = self._event_queue.now
        before = self.events[-1].statuses if self.events else dict.fromkeys(SERVICES, "InitialUnhealthy")
        statuses, messages = {}, {}
        for service, complaint in self.health.items():
            if complaint is None:
                statuses[service] = "Healthy"
            else:
                initial = before[service] == "InitialUnhealthy"
                statuses[service] = "InitialUnhealthy" if initial else "Unhealthy"
            messages[service] = complaint or (
                f"Healthy: The {service} service responded successfully to the last health check."
            )
        event = ClusterEvent(uuid_text(self._ids(now)), now, statuses, messages)
        self.events = [old for old in self.events[1 - RETENTION :] if old.recorded_at > now - RETENTION_AGE]
        self.events.append(event)

    def unchanged_since(self, service: str) -> Micros:
        """Return the instant of the oldest of the newest events that agree on a service's health."""
        newest = self.events[-1]
        healthy = newest.statuses[service] == "Healthy"
        since = newest.recorded_at
        for event in reversed(self.events):
            if (event.statuses[service] == "Healthy") != healthy:
                break
            since = event.recorded_at
        return since
