"""The bridge: makes alerts of the problems after each poll, adds details, and has them sent to every Alertmanager."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from feldera_exporter.alertmanager.addresses import Address, addresses, name_and_port
from feldera_exporter.alertmanager.alerts import Alert, Labels, alert, details
from feldera_exporter.alertmanager.client import Key, client_factory
from feldera_exporter.alertmanager.sender import Sender, State
from feldera_exporter.config import Alertmanager
from feldera_exporter.feldera.wire import Row
from feldera_exporter.logs import FailureLog, Logger, source_location
from feldera_exporter.micros import SECOND, Micros
from feldera_exporter.pages.latest_events import LatestEvents
from feldera_exporter.problems.evaluate import Ended, Endings, InstanceWithProblems, Occurrence, Occurrences
from feldera_exporter.rules.rendering import RuleOptions
from feldera_exporter.state.pipeline import Pipeline
from feldera_exporter.telemetry import Telemetry

REPEATED_FOR: Final = 15 * 60 * SECOND
"""How long an ended problem is still sent, in case an Alertmanager is not running when it ends."""

DETAILS_SECONDS: Final = 0.3
"""How long a new alert waits for its details."""

_LOOKUP_SECONDS: Final = 30.0
"""A name is looked up again after this time at the latest: alerts follow it within a minute."""

_MAX_REQUESTS: Final = 20
"""How many pipelines' events are requested after one poll at most: Feldera locks its database for each request."""

_NO_DETAILS: Final[tuple[None, Labels]] = (None, {})

LatestEventsOf = Callable[[str, str, str], Awaitable[LatestEvents]]
"""Reads the latest events of a pipeline, by its instance, its id and its name."""

_Source = tuple[Micros | Ended, Row | None, Labels]
"""What an alert is made of: when its problem began (and ended), the pipeline's row, the details."""


@dataclass(slots=True)
class _Instance:
    """The state of one instance.

    Attributes:
        read_at: when its list was read; 0 before the first list.
        present: the present problems.
        ended: those that ended within the last 15 minutes and are not present again.
        details: the details of pipelines with these problems, by id, with the row for which they were read.
        alerts: the alerts, each with what it was made of.
        begun: when the problems of alerts that no Alertmanager has accepted yet were found, in monotonic seconds.
        polls: the number of successful polls.
        reachable: whether the last poll succeeded.
    """

    read_at: Micros = 0
    present: Occurrences = field(default_factory=dict)
    ended: Endings = field(default_factory=dict)
    pipelines: Mapping[str, Pipeline] = field(default_factory=dict)
    details: dict[str, tuple[Row, Labels]] = field(default_factory=dict)
    alerts: dict[Occurrence, tuple[_Source, Alert]] = field(default_factory=dict)
    begun: dict[Key, float] = field(default_factory=dict)
    reading: asyncio.Task[None] | None = None
    polls: int = 0
    reachable: bool = False


class Bridge:
    """Sends the problems of every instance to every Alertmanager; after a reload, goes on where the bridge before was.

    Raises:
        ConfigError: a certificate file has become unusable since the configuration was read.
    """

    def __init__(
        self,
        configured: Alertmanager,
        instances: Iterable[str],
        options: RuleOptions,
        recent: LatestEventsOf,
        telemetry: Telemetry,
        log: Logger,
        before: "Bridge | None" = None,
    ) -> None:
        self._configured = configured
        self._options = options
        self._recent = recent
        self._telemetry = telemetry
        self._log = log
        self._connect = client_factory(configured, log)
        self._instances = {
            name: before.state_of(name) if before is not None else _Instance() for name in instances
        }
        self._states = {name: State() for name in self._instances}
        self._senders: dict[tuple[str, Address], tuple[Sender, asyncio.Task[None]]] = {}
        self._failures = FailureLog(log, "problems cannot be reported", "problems can be reported again")
        for name in self._instances:
            self._make_alerts(name)
            self._send(name)
        self._count()

    def state_of(self, name: str) -> _Instance:
        """Return the state of an instance for the bridge that replaces this one."""
        # Without alerts, whose texts may change, without the task that reads details, and as before the first poll.
        instance = self._instances.get(name, _Instance())
        return replace(instance, alerts={}, begun={}, reading=None, polls=0, reachable=False)

    def observe(self, observed: InstanceWithProblems) -> None:
        """Report the problems after a poll, or the stored ones before the first poll. Errors are logged, not raised."""
        try:
            self._observe(observed)
        except Exception as error:  # noqa: BLE001 - a bug in here must not stop polling
            self._failures.failed("internal_error", f"{type(error).__name__} at {source_location(error)}")
        else:
            self._failures.succeeded()

    def _observe(self, observed: InstanceWithProblems) -> None:
        name, read_at, problems = observed.fleet.instance, observed.fleet.read_at, observed.problems
        instance = self._instances[name]
        ended = {
            occurrence: ending
            for occurrence, ending in {**instance.ended, **problems.ended}.items()
            if occurrence not in problems.present and read_at - ending.at < REPEATED_FOR
        }
        # Feldera's clock may step back.
        polled = read_at != instance.read_at
        if not polled and problems.present is instance.present and ended == instance.ended:
            return
        begun = problems.present.keys() - instance.present.keys()
        instance.present, instance.ended, instance.read_at = problems.present, ended, read_at
        instance.pipelines = observed.fleet.pipelines
        self._make_alerts(name)
        if read_at:
            instance.begun |= {instance.alerts[occurrence][1].key: time.monotonic() for occurrence in begun}
            instance.polls, instance.reachable = instance.polls + polled, True
        if read_at and self._read_details(name):
            # Details that come later are sent when they come.
            asyncio.get_running_loop().call_later(DETAILS_SECONDS, self._send, name)
        else:
            self._send(name)
        self._count()

    def missed(self, name: str) -> None:
        """Record that a poll of an instance failed."""
        self._instances[name].reachable = False
        self._states[name] = replace(self._states[name], reachable=False)
        self._wake()

    async def run(self) -> None:
        """Send alerts until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for url in dict.fromkeys(self._configured.urls):
                    group.create_task(self._send_to(url))
        finally:
            tasks = [
                instance.reading for instance in self._instances.values() if instance.reading is not None
            ]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _send_to(self, url: str) -> None:
        """Send alerts to every address of a configured URL, and look its name up again at every resend interval."""
        label = name_and_port(url)
        unresolved = FailureLog(
            self._log.bind(alertmanager=label),
            "Alertmanager's name cannot be resolved",
            "Alertmanager's name can be resolved again",
        )
        try:
            while True:
                try:
                    found = await addresses(url, self._configured.timeout)
                except (OSError, UnicodeError) as error:
                    # The known addresses stay in use.
                    unresolved.failed("unresolved", error)
                    if all(known != url for known, _ in self._senders):
                        alerts = sum(len(state.alerts) for state in self._states.values())
                        self._telemetry.notifications(label).failed.inc(alerts)
                else:
                    unresolved.succeeded()
                    await self._update_senders(url, found)
                    self._forget(label)
                await asyncio.sleep(min(self._configured.resend_interval, _LOOKUP_SECONDS))
        finally:
            await self._update_senders(url, ())
            self._forget(label)

    async def _update_senders(self, url: str, found: Sequence[Address]) -> None:
        """Start senders for new addresses of a configured URL, and stop those of addresses that are gone."""
        for key in self._senders.keys() - {(url, address) for address in found}:
            if key[0] == url:
                _, task = self._senders.pop(key)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                self._forget(key[1].label)
        for address in found:
            if (url, address) not in self._senders:
                sender = Sender(
                    self._connect(address),
                    self._states,
                    self._configured.resend_interval,
                    self._accepted,
                    self._telemetry.notifications(address.label),
                    self._log.bind(alertmanager=address.label),
                )
                self._senders[url, address] = sender, asyncio.create_task(sender.run())

    def _forget(self, label: str) -> None:
        """Remove the metrics of an Alertmanager, unless it still gets alerts: two names may have the same address."""
        if all(address.label != label for _, address in self._senders):
            self._telemetry.forget_alertmanager(label)

    def _accepted(self, name: str, alerts: Iterable[Alert]) -> None:
        begun = self._instances[name].begun
        for accepted in alerts if begun else ():
            since = begun.pop(accepted.key, None)
            if since is not None and accepted.ended is None:
                self._telemetry.notification_delay.observe(time.monotonic() - since)

    def _make_alerts(self, name: str) -> None:
        """Make the alerts of an instance; unchanged alerts stay the same objects."""
        instance = self._instances[name]
        made: dict[Occurrence, tuple[_Source, Alert]] = {}
        begins: dict[Occurrence, Micros | Ended] = {**instance.ended, **instance.present}
        for occurrence, begin in begins.items():
            pipeline = instance.pipelines.get(occurrence.pipeline_id)
            row = pipeline.facts.row if pipeline is not None else None
            added = instance.details.get(occurrence.pipeline_id, _NO_DETAILS)[1]
            source, old = instance.alerts.get(occurrence, (None, None))
            if old is None or source != (begin, row, added):
                new = alert(occurrence, begin, name, self._options, pipeline, added)
                old = new if old != new else old
            made[occurrence] = (begin, row, added), old
        instance.alerts = made

    def _send(self, name: str) -> None:
        """Have all senders send the changed alerts of an instance at once."""
        instance = self._instances[name]
        alerts = {made.key: made for _, made in instance.alerts.values()}
        instance.begun = {key: since for key, since in instance.begun.items() if key in alerts}
        # All at once: a sender that is woken before must not send alerts from before an outage as if they still fired.
        self._states[name] = State(alerts, instance.polls, instance.reachable)
        self._wake()

    def _read_details(self, name: str) -> bool:
        """Start to read details of pipelines with new or changed problems; return whether there are any."""
        instance = self._instances[name]
        reported = {occurrence.pipeline_id for occurrence in instance.alerts}
        instance.details = {
            pipeline_id: found for pipeline_id, found in instance.details.items() if pipeline_id in reported
        }
        if instance.reading is not None and not instance.reading.done():
            return False
        outdated = [
            pipeline_id
            for pipeline_id in dict.fromkeys(occurrence.pipeline_id for occurrence in instance.present)
            if (pipeline := instance.pipelines.get(pipeline_id)) is not None
            and instance.details.get(pipeline_id, _NO_DETAILS)[0] is not pipeline.facts.row
        ]
        if outdated:
            # Pipelines without any details come first.
            outdated.sort(key=lambda pipeline_id: pipeline_id in instance.details)
            instance.reading = asyncio.create_task(self._read(name, outdated[:_MAX_REQUESTS]))
        return bool(outdated)

    async def _read(self, name: str, pipeline_ids: Sequence[str]) -> None:
        instance = self._instances[name]
        for pipeline_id in pipeline_ids:
            pipeline = instance.pipelines.get(pipeline_id)
            if pipeline is None:
                continue
            row = pipeline.facts.row
            recent = await self._recent(name, pipeline_id, row.name)
            if recent.failed:
                # The known details stay, and are read again after a later poll.
                continue
            instance.details[pipeline_id] = row, details(recent, instance.read_at)
        self._make_alerts(name)
        self._send(name)

    def _wake(self) -> None:
        for sender, _ in self._senders.values():
            sender.wake()

    def _count(self) -> None:
        firing = sum(len(instance.present) for instance in self._instances.values())
        resolved = sum(len(instance.ended) for instance in self._instances.values())
        self._telemetry.count_alerts(firing, resolved)
