"""The exporter: polls all instances and sends alerts as the configuration says, also after it changed."""

import asyncio
import platform
import random
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import msgspec
import structlog

from feldera_exporter import __version__
from feldera_exporter.alertmanager.bridge import Bridge
from feldera_exporter.config import Configuration, Instance, Limits, Metrics
from feldera_exporter.errors import ConfigError, ExporterError
from feldera_exporter.feldera.client import Client
from feldera_exporter.ledger import Ledger
from feldera_exporter.logs import Logger, source_location
from feldera_exporter.metrics.catalogue import Catalogue, catalogue
from feldera_exporter.micros import from_seconds
from feldera_exporter.pages.instance_view import PageState, WatchedInstance
from feldera_exporter.polling import gc_tuning
from feldera_exporter.polling.client_factory import client_for
from feldera_exporter.polling.pipeline_details import PipelineDetails
from feldera_exporter.polling.platform_poller import PlatformPoller
from feldera_exporter.polling.polled_instance import PolledInstance
from feldera_exporter.polling.watcher import Watcher
from feldera_exporter.problems.evaluate import NO_PROBLEMS, InstanceWithProblems, Problems
from feldera_exporter.problems.serialization import decoded
from feldera_exporter.publisher import Publisher
from feldera_exporter.rules.rendering import RuleOptions
from feldera_exporter.state.instance_settings import InstanceSettings
from feldera_exporter.store.poll_changes import NOTHING, StoredState
from feldera_exporter.store.store import Store
from feldera_exporter.telemetry import Telemetry

_BRIDGE: Final = ""
"""The name of the task that sends alerts; no instance has an empty name."""


class Exporter:
    """Polls all instances; a failure of one does not disturb the others.

    Attributes:
        publisher: has the state of all instances.
        instances: the polled instances, by name.
        recent: requests a pipeline's latest events; see `PipelineDetails`.
        program: requests a pipeline's description and compiler errors; see `PipelineDetails`.

    Raises:
        ConfigError: the configuration is wrong.
        StoreError: the store cannot be read.
    """

    def __init__(
        self,
        load: Callable[[], Configuration],
        store: Store | None,
        addresses: RuleOptions | None = None,
    ) -> None:
        self._load = load
        self._store = store
        self._addresses = addresses or RuleOptions()
        self._bridge: Bridge | None = None
        self._log = structlog.get_logger()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._task_failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reload_lock = asyncio.Lock()
        self._waiting_reload: asyncio.Task[Sequence[str]] | None = None
        self._telemetry = Telemetry(__version__, platform.python_version())
        self.publisher = Publisher(self._telemetry)
        self.instances: Mapping[str, PolledInstance] = {}
        details = PipelineDetails(self._client)
        self.recent, self.program = details.recent, details.program
        self._use(self._build(load()))

    def start(self) -> None:
        """Start to poll the instances that are not polled yet, and to send alerts."""
        for name, instance in self.instances.items():
            self._start(name, instance.run)
        if self._bridge is not None:
            self._start(_BRIDGE, self._bridge.run)

    def _start(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if name not in self._tasks:
            self._tasks[name] = asyncio.create_task(run())
            self._tasks[name].add_done_callback(self._task_ended)

    def page_state(self) -> PageState:
        """Return the present state of all instances."""
        instances = [
            WatchedInstance(
                *self.publisher.observed[name], instance.watcher.now(), instance.watcher.instance.url
            )
            for name, instance in self.instances.items()
        ]
        return PageState(instances, self._configuration.alerts, from_seconds(time.time()))

    def _client(self, instance: str) -> Client | None:
        polled = self.instances.get(instance)
        return polled.client if polled else None

    def check(self) -> None:
        """Raise the error that ended a task, if there is one: a bug."""
        if self._task_failure.done():
            self._task_failure.result()

    async def until(self, ended: asyncio.Event) -> None:
        """Wait for an event, or raise the error that ended a task before."""
        waiting = asyncio.create_task(ended.wait())
        try:
            await asyncio.wait((waiting, self._task_failure), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        self.check()

    async def stop(self) -> None:
        """Stop all polling, after a reload that has begun."""
        if self._waiting_reload is not None:
            self._waiting_reload.cancel()
        async with self._reload_lock:
            await self._stop(self._tasks.keys())

    async def _stop(self, names: Iterable[str]) -> None:
        tasks = [self._tasks.pop(name) for name in tuple(names)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or (error := task.exception()) is None:
            return
        if not self._task_failure.done():
            self._task_failure.set_exception(error)

    async def reload(self) -> Sequence[str]:
        """Load the configuration again and use it; if it has mistakes, return them and go on with the present one.

        All calls during a reload share the next one.
        """
        if self._waiting_reload is None:
            self._waiting_reload = asyncio.create_task(self._reload_next())
        # A caller that is cancelled does not cancel the reload of the others.
        return await asyncio.shield(self._waiting_reload)

    async def _reload_next(self) -> Sequence[str]:
        async with self._reload_lock:
            self._waiting_reload = None
            return await self._reload()

    async def _reload(self) -> Sequence[str]:
        try:
            parts = self._build(self._load())
        except Exception as error:  # noqa: BLE001 - a bug must not leave half of each configuration
            return self._refuse(error)
        unchanged = {name for name, each in parts.instances.items() if each is self.instances.get(name)}
        if parts.bridge is self._bridge:
            unchanged.add(_BRIDGE)
        # What is replaced ends before its replacement starts, so that nothing is counted or published by both.
        if replaced := self._tasks.keys() - unchanged:
            await self._stop(replaced)
            gc_tuning.unfreeze()
        self._use(parts)
        self.start()
        self._log.info("configuration reloaded", instances=len(self.instances))
        return ()

    def _refuse(self, error: Exception) -> Sequence[str]:
        """Log and publish that a configuration cannot be used, and return its mistakes."""
        match error:
            case ConfigError():
                mistakes = error.mistakes
            case ExporterError():
                mistakes = (str(error),)
            case _:
                mistakes = (f"{type(error).__name__} at {source_location(error)}",)
        self._telemetry.configured(success=False)
        # The metrics show it at once, not only after the next poll.
        self.publisher.renew()
        for mistake in mistakes:
            self._log.error("configuration not reloaded", mistake=mistake)
        return mistakes

    def _build(self, configuration: Configuration) -> "_Parts":
        """Build all parts that a configuration needs, without a change to the running ones.

        Raises:
            ConfigError: a file that it names can no longer be used.
            StoreError: the store cannot be read.
        """
        return _Parts(
            configuration,
            catalogue(tuple(configuration.tag_labels), configuration.metrics.exclude),
            {each.name: self._build_instance(each, configuration) for each in configuration.instances},
            self._build_bridge(configuration),
        )

    def _build_bridge(self, configuration: Configuration) -> Bridge | None:
        """Build what sends alerts to Alertmanager, None if none is configured; with the same settings the present one is used."""
        if configuration.alertmanager is None:
            return None
        if self._bridge is not None and _alert_settings(configuration) == _alert_settings(
            self._configuration
        ):
            return self._bridge
        return Bridge(
            configuration.alertmanager,
            [each.name for each in configuration.instances],
            self._addresses.configured(configuration),
            self.recent,
            self._telemetry,
            self._log,
            self._bridge,
        )

    def _build_instance(self, instance: Instance, configuration: Configuration) -> PolledInstance:
        """Build the parts of one instance; with the same settings the present ones are used.

        With other settings, the counters and the published state of the present ones are used.
        """
        settings = _instance_settings(configuration, instance)
        present = self.instances.get(instance.name)
        if present is not None and settings == present.settings:
            return present
        log = self._log.bind(feldera_instance=instance.name)
        client = client_for(instance, partial(self._telemetry.observe, instance.name), log)
        stored = self._store.load(instance.name) if self._store and not present else NOTHING
        watcher = Watcher(
            instance,
            InstanceSettings(configuration, instance),
            client,
            present.watcher.ledger if present else Ledger(instance.name, stored),
            self._store,
            self._publish,
            self._telemetry,
            log,
            present.watcher if present else None,
            _problems(stored, log),
            stored.names,
        )
        # Several instances are not polled at the same moment.
        spread = instance.poll_interval if len(configuration.instances) > 1 else 0.0
        return PolledInstance(
            client,
            watcher,
            PlatformPoller(client, watcher, log, spread),
            random.uniform(0, spread),  # noqa: S311
            partial(self._poll_failed, instance.name),
            settings,
        )

    def _use(self, parts: "_Parts") -> None:
        """Replace the present parts, whose tasks have ended if they are not used any longer."""
        for name in self.instances.keys() - parts.instances.keys():
            self._telemetry.forget(name)
        self.publisher.arrange(list(parts.instances), parts.catalogue)
        self.instances = parts.instances
        self._configuration = parts.configuration
        if self._bridge is not None and parts.bridge is None:
            self._telemetry.count_alerts(0, 0)
        self._bridge = parts.bridge
        for name, instance in self.instances.items():
            self._telemetry.initialise(name)
            if name not in self._tasks:
                instance.watcher.publish()
        self._telemetry.configured(success=True)
        self.publisher.renew()

    def _publish(self, observed: InstanceWithProblems, fresh_until: float) -> None:
        """Publish the state of an instance, in the metrics and to Alertmanager."""
        self.publisher.publish(observed, fresh_until)
        if self._bridge is not None:
            self._bridge.observe(observed)

    def _poll_failed(self, instance: str) -> None:
        if self._bridge is not None:
            self._bridge.missed(instance)


@dataclass(frozen=True, slots=True)
class _Parts:
    """All parts that a configuration needs."""

    configuration: Configuration
    catalogue: Catalogue
    instances: Mapping[str, PolledInstance]
    bridge: Bridge | None


def _problems(stored: StoredState, log: Logger) -> Problems:
    """Return the stored problems; if they cannot be read, those of the first poll replace them."""
    try:
        return decoded(stored.problems)
    except msgspec.DecodeError as error:
        log.warning("the problems in the store cannot be read", error=str(error))
        return NO_PROBLEMS


def _instance_settings(configuration: Configuration, instance: Instance) -> tuple[object, ...]:
    """Return the part of the configuration that an instance depends on."""
    several = len(configuration.instances) > 1
    return instance, several, replace(configuration, instances=(), metrics=Metrics(), alertmanager=None)


def _alert_settings(configuration: Configuration) -> tuple[object, ...]:
    """Return the part of the configuration that alerts depend on."""
    names = [instance.name for instance in configuration.instances]
    return names, replace(configuration, instances=(), metrics=Metrics(), limits=Limits())
