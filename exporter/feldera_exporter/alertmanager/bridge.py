"""The bridge: takes in what each poll found, learns the details, and has every Alertmanager told."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from feldera_exporter.alertmanager.addresses import Address, Resolver
from feldera_exporter.alertmanager.alerts import Alert, Wording, alert
from feldera_exporter.alertmanager.client import Key
from feldera_exporter.alertmanager.client_factory import client_factory
from feldera_exporter.alertmanager.pipeline_details import UNKNOWN, Details, details
from feldera_exporter.alertmanager.reported_problems import NOTHING_KNOWN, ReportedProblems, next_reported
from feldera_exporter.alertmanager.sender import Sender, State
from feldera_exporter.config import Alertmanager
from feldera_exporter.feldera.wire import Row
from feldera_exporter.logs import FailureLog, Logger, source_location
from feldera_exporter.pages.latest_events import LatestEvents
from feldera_exporter.problems.evaluate import NO_PROBLEMS, Ended, Occurrence, Problems
from feldera_exporter.problems.observed_instance import ObservedInstance
from feldera_exporter.state.pipeline import Pipeline
from feldera_exporter.telemetry import Telemetry

PATIENCE: Final = 0.3
"""Seconds for which an alert waits for its details."""

_LOOKED_UP: Final = 30.0
"""Seconds after which a name is looked up again at the latest: within a minute alerts follow it."""

_AT_ONCE: Final = 20
"""Pipelines about which Feldera is asked after one poll at most: it holds its database's lock for each."""

Recently = Callable[[str, str, str], Awaitable[LatestEvents]]
"""Asks Feldera about a pipeline, by its instance, its id and its name."""

_Made = tuple[int | Ended, Row | None, Details, Alert]


@dataclass(slots=True)
class _Known:
    """One instance as it is told.

    Attributes:
        problems: as they were found last.
        read_at: when the list was read for that, microseconds by Feldera's clock; 0 before the first.
        standing: what there is to tell.
        pipelines: those that are known, by id.
        details: what was learnt of pipelines, by id, with the row that they were then.
        made: the alerts, with all that they were made of.
        begun: since when problems wait to be told that have just begun, monotonic seconds.
        asking: asks for details.
    """

    problems: Problems = NO_PROBLEMS
    read_at: int = 0
    standing: ReportedProblems = NOTHING_KNOWN
    pipelines: Mapping[str, Pipeline] = field(default_factory=dict)
    details: dict[str, tuple[Row, Details]] = field(default_factory=dict)
    made: dict[Occurrence, _Made] = field(default_factory=dict)
    begun: dict[Key, float] = field(default_factory=dict)
    asking: asyncio.Task[None] | None = None


class Bridge:
    """Has every Alertmanager told of the problems of every instance.

    Args:
        configured: to whom, and how.
        instances: the names of the instances.
        wording: what the configuration and the flags say of alerts.
        recent: asks Feldera about a pipeline.
        telemetry: the exporter's own metrics.
        log: the log.
        before: the bridge whose place it takes after a reload, None at the start.

    Raises:
        ConfigError: a certificate is no longer what it was when the configuration was read.
    """

    def __init__(
        self,
        configured: Alertmanager,
        instances: Iterable[str],
        wording: Wording,
        recent: Recently,
        telemetry: Telemetry,
        log: Logger,
        before: "Bridge | None" = None,
    ) -> None:
        self._configured = configured
        self._wording = wording
        self._recent = recent
        self._telemetry = telemetry
        self._log = log
        self._connect = client_factory(configured, log)
        self._known = {name: before.heir(name) if before is not None else _Known() for name in instances}
        self._states = {name: State() for name in self._known}
        self._senders: dict[str, tuple[Sender, asyncio.Task[None]]] = {}
        self._mistaken = FailureLog(log, "what was found cannot be told", "what is found can be told again")
        for name in self._known:
            self._write(name)
        self._count()

    def heir(self, name: str) -> _Known:
        """Return what the bridge after this one begins with."""
        known = self._known.get(name, _Known())
        # What was asked for is asked again, and alerts may be worded otherwise.
        return _Known(known.problems, known.read_at, known.standing, known.pipelines, known.details)

    def observe(self, observed: ObservedInstance) -> None:
        """Take in what a poll found, or what is known before the first one; a mistake in here costs no poll."""
        try:
            self._take_in(observed)
        except Exception as error:  # noqa: BLE001 - see above
            self._mistaken.failed("internal_error", f"{type(error).__name__} at {source_location(error)}")
        else:
            self._mistaken.succeeded()

    def _take_in(self, observed: ObservedInstance) -> None:
        name, problems = observed.fleet.instance, observed.problems
        known, read_at = self._known[name], observed.fleet.read_at
        polled = read_at > known.read_at
        if (
            not polled
            and problems.present is known.problems.present
            and problems.ended is known.problems.ended
        ):
            return
        standing = next_reported(known.standing, problems, read_at)
        begun = standing.present.keys() - known.standing.present.keys()
        changed = bool(begun) or standing.present.keys() != known.standing.present.keys()
        known.problems, known.standing, known.read_at = problems, standing, read_at
        known.pipelines = observed.fleet.pipelines
        self._write(name)
        if read_at:
            known.begun |= {known.made[each][-1].key: time.monotonic() for each in begun}
            state = self._states[name]
            self._states[name] = State(state.alerts, state.version, state.polls + polled, seeing=True)
            self._learn(name, changed=changed)
        self._count()
        self._wake()

    def missed(self, name: str) -> None:
        """Take in that an instance could not be polled."""
        state = self._states[name]
        self._states[name] = State(state.alerts, state.version, state.polls, seeing=False)
        self._wake()

    async def run(self) -> None:
        """Have everybody told until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for url in self._configured.urls:
                    group.create_task(self._follow(url))
        finally:
            tasks = [task for _, task in self._senders.values()]
            tasks += [known.asking for known in self._known.values() if known.asking is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, url: str) -> None:
        """Tell every address that a name has at the time."""
        resolver = Resolver(url)
        unresolved = FailureLog(
            self._log.bind(alertmanager=resolver.told),
            "Alertmanager's name cannot be resolved",
            "Alertmanager's name can be resolved again",
        )
        own: dict[str, Address] = {}
        while True:
            try:
                found = await resolver.addresses(self._configured.timeout)
            except (OSError, UnicodeError) as error:
                # Those that are known stay.
                unresolved.failed("unresolved", error)
                if not own:
                    alerts = sum(len(state.alerts) for state in self._states.values())
                    self._telemetry.notifications(resolver.told).failed(alerts)
            else:
                unresolved.succeeded()
                own = await self._arrange(own, found)
                if resolver.told not in {address.told for address in own.values()}:
                    self._telemetry.forget_alertmanager(resolver.told)
            await asyncio.sleep(min(self._configured.resend_interval, _LOOKED_UP))

    async def _arrange(self, own: Mapping[str, Address], found: Sequence[Address]) -> dict[str, Address]:
        """Begin to tell the addresses that are new, and no longer tell those that are gone."""
        wanted = {address.url: address for address in found}
        for url in own.keys() - wanted.keys():
            _, task = self._senders.pop(url)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self._telemetry.forget_alertmanager(own[url].told)
        for url, address in wanted.items():
            # Two names may have the same address.
            if url not in self._senders:
                sender = self._sender(address)
                self._senders[url] = sender, asyncio.create_task(sender.run())
        return wanted

    def _sender(self, address: Address) -> Sender:
        return Sender(
            self._connect(address),
            self._states,
            self._configured.resend_interval,
            self._accepted,
            self._telemetry.notifications(address.told),
            self._log.bind(alertmanager=address.told),
        )

    def _accepted(self, name: str, alerts: Iterable[Alert]) -> None:
        begun = self._known[name].begun
        for each in alerts if begun else ():
            since = begun.pop(each.key, None)
            if since is not None and each.ended is None:
                self._telemetry.notification_delay.observe(time.monotonic() - since)

    def _write(self, name: str) -> None:
        """Make the alerts of an instance; those that say the same stay the same objects."""
        known = self._known[name]
        made: dict[Occurrence, _Made] = {}
        every: dict[Occurrence, int | Ended] = {**known.standing.ended, **known.standing.present}
        for occurrence, told in every.items():
            pipeline = known.pipelines.get(occurrence.pipeline_id)
            row = pipeline.facts.row if pipeline is not None else None
            learnt = known.details.get(occurrence.pipeline_id, (None, UNKNOWN))[1]
            old = known.made.get(occurrence)
            if old is not None and old[0] == told and old[1] is row and old[2] is learnt:
                made[occurrence] = old
                continue
            written = alert(occurrence, told, name, self._wording, pipeline, learnt)
            made[occurrence] = told, row, learnt, written
        known.made = made
        state = self._states[name]
        alerts = {each[-1].key: each[-1] for each in made.values()}
        self._states[name] = State(alerts, state.version, state.polls, state.seeing)
        known.begun = {key: since for key, since in known.begun.items() if key in alerts}

    def _learn(self, name: str, *, changed: bool) -> None:
        """Ask about pipelines that have problems and of which too little is known, and have a change told."""
        known = self._known[name]
        ids = dict.fromkeys(each.pipeline_id for each in known.standing.present if each.pipeline_id)
        known.details = {key: learnt for key, learnt in known.details.items() if key in ids}
        free = known.asking is None or known.asking.done()
        unknown = [key for key in ids if free and self._unknown(known, key)]
        # Those that nothing is known of come first.
        unknown = sorted(unknown, key=lambda key: key in known.details)[:_AT_ONCE]
        if unknown:
            known.asking = asyncio.create_task(self._ask(name, unknown))
        if changed and unknown and known.asking is not None:
            # Not for long: what is learnt too late is told thereafter.
            asyncio.get_running_loop().call_later(PATIENCE, self._change, name)
            return
        if changed:
            self._change(name)

    @staticmethod
    def _unknown(known: _Known, pipeline_id: str) -> bool:
        pipeline = known.pipelines.get(pipeline_id)
        if pipeline is None:
            return False
        learnt = known.details.get(pipeline_id)
        return learnt is None or learnt[0] is not pipeline.facts.row

    async def _ask(self, name: str, ids: Sequence[str]) -> None:
        known = self._known[name]
        for pipeline_id in ids:
            pipeline = known.pipelines.get(pipeline_id)
            if pipeline is None:
                continue
            row = pipeline.facts.row
            learnt = details(await self._recent(name, pipeline_id, row.name), known.read_at)
            before = known.details.get(pipeline_id, (row, UNKNOWN))[1]
            known.details[pipeline_id] = row, before if learnt == before else learnt
        self._write(name)
        self._change(name)

    def _change(self, name: str) -> None:
        """Have what there is to tell told at once."""
        state = self._states[name]
        self._states[name] = State(state.alerts, state.version + 1, state.polls, state.seeing)
        self._wake()

    def _wake(self) -> None:
        for sender, _ in self._senders.values():
            sender.wake()

    def _count(self) -> None:
        firing = sum(len(known.standing.present) for known in self._known.values())
        resolved = sum(len(known.standing.ended) for known in self._known.values())
        self._telemetry.count_alerts(firing, resolved)
