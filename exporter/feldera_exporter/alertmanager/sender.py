"""The sender to one Alertmanager: what is the case, at once when it changes and again before its lease ends.

An alert is sent with an end some intervals ahead, its lease. While an instance's problems cannot be seen, another exporter
may know better: then only the leases of alerts that this Alertmanager still holds are renewed, and nothing is said of any other.
"""

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from feldera_exporter.alertmanager.alerts import Alert, wire
from feldera_exporter.alertmanager.client import AlertmanagerError, Client, Key, RefusedAlertsError
from feldera_exporter.logs import FailureLog, Logger, source_location
from feldera_exporter.telemetry import Notifications

LEASES: Final = 4
"""Intervals for which an alert holds without being sent again."""

_LATE: Final = 1.5
"""Intervals after which an alert is sent again, though no poll has ended that would say whether it still holds."""

_BATCH: Final = 64
"""Alerts of one request, as Prometheus sends them."""

_CHECK: Final = 60.0
"""Seconds without a request after which an empty one tells whether Alertmanager can be reached."""

_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 30.0
_MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class State:
    """What there is to tell of one instance.

    Attributes:
        alerts: those that fire and those that ended lately, by their labels; one that says the same is the same object.
        version: another number after each change that is to be told at once.
        polls: how many lists were read.
        seeing: whether the last poll could read the list.
    """

    alerts: Mapping[Key, Alert] = field(default_factory=dict)
    version: int = 0
    polls: int = 0
    seeing: bool = False


@dataclass(frozen=True, slots=True)
class _Sent:
    """What was told of one instance.

    Attributes:
        at: when all of it was, monotonic seconds.
        accepted: the alerts that were taken, by their labels.
        state: what there was to tell then, and thereafter.
    """

    at: float = -math.inf
    accepted: Mapping[Key, Alert] = field(default_factory=dict)
    polls: int = -1
    version: int = -1
    seeing: bool = False


class Sender:
    """Tells one Alertmanager.

    Args:
        client: its client, which is closed at the end.
        states: what there is to tell, by instance; read anew each time.
        resend_interval: seconds after which the same is told again.
        accepted: told of each instance's alerts that were taken.
        notifications: counts.
        log: with Alertmanager's address.
    """

    def __init__(
        self,
        client: Client,
        states: Mapping[str, State],
        resend_interval: float,
        accepted: Callable[[str, Iterable[Alert]], None],
        notifications: Notifications,
        log: Logger,
    ) -> None:
        self._client = client
        self._states = states
        self._interval = resend_interval
        self._lease = round(LEASES * resend_interval * _MICROSECONDS)
        self._accepted = accepted
        self._notifications = notifications
        self._log = log
        self._unreached = FailureLog(log, "alerts cannot be sent", "alerts can be sent again")
        self._wake = asyncio.Event()
        self._sent: dict[str, _Sent] = {}
        self._refused: set[Key] = set()
        self._asked_at = -math.inf
        self._not_before = -math.inf
        self._failures = 0
        self._left = 0

    def wake(self) -> None:
        """Look at the states again."""
        self._wake.set()

    async def run(self) -> None:
        """Tell until cancelled."""
        try:
            while True:
                self._wake.clear()
                pause = await self.tell()
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
        finally:
            await self._client.close()

    async def tell(self) -> float:
        """Tell what is due, and return in how many seconds something is due though nothing changes."""
        now = time.monotonic()
        if now < self._not_before:
            return self._not_before - now
        self._left = 0
        try:
            if self._asked_at == -math.inf:
                # Its answer tells its clock, before an alert depends on that.
                await self._post(())
            for name, state in tuple(self._states.items()):
                await self._instance(name, state)
            if time.monotonic() - self._asked_at >= _CHECK:
                await self._post(())
        except AlertmanagerError as error:
            return self._failed(error)
        except Exception as error:  # noqa: BLE001 - a mistake of our own must not end it
            return self._failed(
                AlertmanagerError("internal_error", f"{type(error).__name__} at {source_location(error)}")
            )
        self._failures = 0
        self._unreached.succeeded()
        self._sent = {name: sent for name, sent in self._sent.items() if name in self._states}
        late = min((sent.at for sent in self._sent.values()), default=math.inf) + _LATE * self._interval
        return max(0.0, min(late, self._asked_at + _CHECK) - time.monotonic())

    def _failed(self, error: AlertmanagerError) -> float:
        self._notifications.failed(self._left)
        self._unreached.failed(error.kind, error)
        pause = min(_PAUSE * (1 << self._failures), _LONGEST_PAUSE, self._interval)
        # Its leases must not end because it asks for a long rest.
        pause = max(pause, min(error.retry_after, 2 * self._interval))
        self._failures = min(self._failures + 1, 10)
        self._not_before = time.monotonic() + pause
        return pause

    async def _instance(self, name: str, state: State) -> None:
        """Tell what is due of one instance."""
        sent, now = self._sent.get(name, _Sent()), time.monotonic()
        passed = now - sent.at
        # Right after a poll: what has ended since must not be told as if it went on.
        fresh = state.polls != sent.polls or not state.seeing
        due = passed >= (1 if fresh else _LATE) * self._interval
        accepted = dict(sent.accepted)
        if not state.seeing:
            if not due:
                return
            await self._renew(name, state, accepted)
            sent = replace(sent, at=now)
        elif due or not sent.seeing:
            await self._send(name, state.alerts.values(), accepted)
            sent = replace(sent, at=now, version=state.version)
        elif state.version != sent.version:
            news = [alert for key, alert in state.alerts.items() if accepted.get(key) is not alert]
            await self._send(name, news, accepted)
            sent = replace(sent, version=state.version)
        else:
            return
        accepted = {key: alert for key, alert in accepted.items() if key in state.alerts}
        self._refused &= {key for each in self._states.values() for key in each.alerts}
        self._sent[name] = replace(sent, accepted=accepted, polls=state.polls, seeing=state.seeing)

    async def _renew(self, name: str, state: State, accepted: dict[Key, Alert]) -> None:
        """Renew the leases of alerts that Alertmanager still holds: what it does not, somebody who sees has ended."""
        lasting = {key: alert for key, alert in state.alerts.items() if alert.ended is None}
        if not lasting:
            return
        self._left += len(lasting)
        began = time.monotonic()
        active = await self._client.active(name)
        self._answered(began)
        self._left -= len(lasting)
        held = [replace(alert, since=active[key]) for key, alert in lasting.items() if key in active]
        await self._send(name, held, accepted)

    async def _send(self, name: str, alerts: Iterable[Alert], accepted: dict[Key, Alert]) -> None:
        every = list(alerts)
        self._left += len(every)
        good = [each for each in every if each.key not in self._refused]
        batches: list[Sequence[Alert]] = [good[at : at + _BATCH] for at in range(0, len(good), _BATCH)]
        # What was refused before is tried alone, so that it costs the others nothing.
        batches += [(each,) for each in every if each.key in self._refused]
        for batch in batches:
            await self._batch(name, batch, accepted)

    async def _batch(self, name: str, batch: Sequence[Alert], accepted: dict[Key, Alert]) -> None:
        """Send a batch; one that is refused is halved until the alert is found that is to blame."""
        try:
            await self._post(batch)
        except RefusedAlertsError as error:
            if len(batch) > 1:
                half = len(batch) // 2
                await self._batch(name, batch[:half], accepted)
                await self._batch(name, batch[half:], accepted)
                return
            (alert,) = batch
            self._left -= 1
            self._notifications.failed(1)
            if alert.key not in self._refused:
                self._refused.add(alert.key)
                self._log.warning("an alert is refused", alert=dict(alert.labels), error=str(error))
            return
        self._left -= len(batch)
        self._notifications.sent(len(batch))
        keys = {alert.key: alert for alert in batch}
        self._refused -= keys.keys()
        accepted.update(keys)
        self._accepted(name, batch)

    async def _post(self, batch: Sequence[Alert]) -> None:
        now, began = self._client.now(), time.monotonic()
        await self._client.post([wire(alert, now, self._lease) for alert in batch])
        self._answered(began)

    def _answered(self, began: float) -> None:
        self._asked_at = time.monotonic()
        self._notifications.answered(self._asked_at - began)
