"""The sender to one Alertmanager: sends all alerts regularly, and changes at once.

An alert is sent with an end some resend intervals ahead, its lease. While this exporter cannot reach an instance, another
exporter may still reach it and know better. So this one then renews only the leases of alerts that are active in
Alertmanager, and sends no other alert of the instance.
"""

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from feldera_exporter.alertmanager.alerts import Alert, wire
from feldera_exporter.alertmanager.client import (
    AlertmanagerClient,
    AlertmanagerError,
    Key,
    RefusedAlertsError,
)
from feldera_exporter.logs import FailureLog, Logger, source_location
from feldera_exporter.micros import from_seconds
from feldera_exporter.telemetry import Notifications

LEASE_INTERVALS: Final = 4
"""The lease of an alert, in resend intervals."""

_LATE_INTERVALS: Final = 1.5
"""After so many resend intervals, alerts are sent again even if no poll has ended since."""

_BATCH_ALERTS: Final = 64
"""The number of alerts in one request, as in Prometheus."""

_CHECK_SECONDS: Final = 60.0
"""After so long without a request, an empty one checks whether Alertmanager can be reached."""

_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 30.0
"""The pause after a failed request doubles from the first to the longest."""


@dataclass(frozen=True, slots=True)
class State:
    """The alerts of one instance.

    Attributes:
        alerts: the firing alerts and those that ended lately, by their labels; an unchanged alert is the same object.
        polls: the number of successful polls.
        reachable: whether the last poll succeeded.
    """

    alerts: Mapping[Key, Alert] = field(default_factory=dict)
    polls: int = 0
    reachable: bool = False


@dataclass(frozen=True, slots=True)
class _Sent:
    """What was sent of one instance: its `State` then, and when all its alerts were last sent, in monotonic seconds."""

    at: float = -math.inf
    state: State = State()


class Sender:
    """Sends alerts to one Alertmanager.

    Args:
        client: its client; closed at the end of `run`.
        states: the alerts by instance; the owner replaces the values.
        resend_interval: seconds between sends of unchanged alerts.
        accepted: called with the instance's name and the alerts that Alertmanager accepted.
    """

    def __init__(
        self,
        client: AlertmanagerClient,
        states: Mapping[str, State],
        resend_interval: float,
        accepted: Callable[[str, Iterable[Alert]], None],
        notifications: Notifications,
        log: Logger,
    ) -> None:
        self._client = client
        self._states = states
        self._interval = resend_interval
        self._lease = from_seconds(LEASE_INTERVALS * resend_interval)
        self._accepted = accepted
        self._notifications = notifications
        self._log = log
        self._unreached = FailureLog(log, "alerts cannot be sent", "alerts can be sent again")
        self._wake = asyncio.Event()
        self._sent: dict[str, _Sent] = {}
        self._refused: set[Key] = set()
        self._requested_at = -math.inf
        self._not_before = -math.inf
        self._failures = 0
        self._unsent = 0

    def wake(self) -> None:
        """Have `run` read the states again."""
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled."""
        try:
            while True:
                self._wake.clear()
                pause = await self.send_due()
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
        finally:
            await self._client.close()

    async def send_due(self) -> float:
        """Send what is due, and return the seconds until something is due even if nothing changes."""
        now = time.monotonic()
        if now < self._not_before:
            return self._not_before - now
        self._unsent = 0
        try:
            if self._requested_at == -math.inf:
                # Measures Alertmanager's clock before the first alert is sent.
                self._unsent = sum(len(state.alerts) for state in self._states.values())
                await self._post(())
                self._unsent = 0
            # Instances that cannot be reached come last: to renew their alerts takes a request of another kind, which may fail.
            for name, state in sorted(self._states.items(), key=lambda item: not item[1].reachable):
                await self._instance(name, state)
            if time.monotonic() - self._requested_at >= _CHECK_SECONDS:
                await self._post(())
        except AlertmanagerError as error:
            return self._failed(error)
        except Exception as error:  # noqa: BLE001 - a bug must not stop all notifications
            return self._failed(
                AlertmanagerError("internal_error", f"{type(error).__name__} at {source_location(error)}")
            )
        self._failures = 0
        self._unreached.succeeded()
        alerts = [state.alerts for state in self._states.values()]
        self._refused = {key for key in self._refused if any(key in known for known in alerts)}
        late = (
            min((sent.at for sent in self._sent.values()), default=math.inf)
            + _LATE_INTERVALS * self._interval
        )
        return max(0.0, min(late, self._requested_at + _CHECK_SECONDS) - time.monotonic())

    def _failed(self, error: AlertmanagerError) -> float:
        self._notifications.failed.inc(self._unsent)
        self._unreached.failed(error.kind, error)
        pause = min(_FIRST_PAUSE_SECONDS * (1 << self._failures), _LONGEST_PAUSE_SECONDS, self._interval)
        # A long Retry-After must not let the leases end.
        pause = max(pause, min(error.retry_after, 2 * self._interval))
        self._failures = min(self._failures + 1, 10)
        self._not_before = time.monotonic() + pause
        return pause

    async def _instance(self, name: str, state: State) -> None:
        """Send what is due of one instance."""
        sent, now = self._sent.get(name, _Sent()), time.monotonic()
        # Preferably right after a poll, so that no problem is renewed that has just ended.
        polled = state.polls != sent.state.polls or not state.reachable
        due = now - sent.at >= (1 if polled else _LATE_INTERVALS) * self._interval
        if not state.reachable:
            if not due:
                return
            await self._renew(name, state)
        elif due or not sent.state.reachable:
            await self._send(name, state.alerts.values())
        else:
            known = sent.state.alerts
            await self._send(
                name, [alert for key, alert in state.alerts.items() if known.get(key) is not alert]
            )
            now, state = sent.at, replace(state, polls=sent.state.polls)
        self._sent[name] = _Sent(now, state)

    async def _renew(self, name: str, state: State) -> None:
        """Renew the leases of alerts that are active in Alertmanager; another exporter may have ended the others."""
        firing = {key: alert for key, alert in state.alerts.items() if alert.ended is None}
        if not firing:
            return
        self._unsent += len(firing)
        began = time.monotonic()
        active = await self._client.active(name)
        self._answered(began)
        self._unsent -= len(firing)
        renewed = [replace(alert, since=active[key]) for key, alert in firing.items() if key in active]
        await self._send(name, renewed)

    async def _send(self, name: str, alerts: Iterable[Alert]) -> None:
        unsent = list(alerts)
        self._unsent += len(unsent)
        valid = [alert for alert in unsent if alert.key not in self._refused]
        batches: list[Sequence[Alert]] = [
            valid[start : start + _BATCH_ALERTS] for start in range(0, len(valid), _BATCH_ALERTS)
        ]
        # Alerts that were refused before are sent alone, so that they do not affect the others.
        batches += [(alert,) for alert in unsent if alert.key in self._refused]
        for batch in batches:
            await self._batch(name, batch)

    async def _batch(self, name: str, batch: Sequence[Alert]) -> None:
        """Send a batch. A refused batch is halved until the refused alerts are found."""
        try:
            await self._post(batch)
        except RefusedAlertsError as error:
            if len(batch) > 1:
                half = len(batch) // 2
                await self._batch(name, batch[:half])
                await self._batch(name, batch[half:])
                return
            (alert,) = batch
            self._unsent -= 1
            self._notifications.failed.inc()
            if alert.key not in self._refused:
                self._refused.add(alert.key)
                self._log.warning("an alert is refused", alert=dict(alert.labels), error=str(error))
            return
        self._unsent -= len(batch)
        self._notifications.sent.inc(len(batch))
        self._refused -= {alert.key for alert in batch}
        self._accepted(name, batch)

    async def _post(self, batch: Sequence[Alert]) -> None:
        now, began = self._client.now(), time.monotonic()
        await self._client.post([wire(alert, now, self._lease) for alert in batch])
        self._answered(began)

    def _answered(self, began: float) -> None:
        self._requested_at = time.monotonic()
        self._notifications.latency.observe(self._requested_at - began)
        self._notifications.answered_at.set_to_current_time()
