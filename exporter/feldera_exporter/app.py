"""The composition root: builds every part from the configuration, runs them, and ends them in order."""

import asyncio
import math
import platform
import random
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from feldera_exporter import __version__
from feldera_exporter.alertmanager.alerts import Wording
from feldera_exporter.alertmanager.bridge import Bridge
from feldera_exporter.config import Configuration, Instance, Limits, Metrics
from feldera_exporter.errors import ConfigError, ExporterError
from feldera_exporter.feldera.client import Client
from feldera_exporter.feldera.program_details import ProgramDetails
from feldera_exporter.ledger import Ledger
from feldera_exporter.logs import Logger, source_location
from feldera_exporter.metrics.catalogue import Catalogue, catalogue
from feldera_exporter.pages import runbooks
from feldera_exporter.pages.instance_view import PageState, WatchedInstance
from feldera_exporter.pages.latest_events import LatestEvents
from feldera_exporter.pages.links import Links
from feldera_exporter.polling import gc_tuning
from feldera_exporter.polling.client_factory import client_for
from feldera_exporter.polling.clock_skew import UNTOLD
from feldera_exporter.polling.pipeline_details import PipelineDetails
from feldera_exporter.polling.platform_poller import PlatformPoller
from feldera_exporter.polling.schedule import Schedule
from feldera_exporter.polling.watcher import Watcher
from feldera_exporter.problems.evaluate import NO_PROBLEMS, Problems
from feldera_exporter.problems.observed_instance import ObservedInstance
from feldera_exporter.problems.serialization import decoded
from feldera_exporter.publisher import Publisher
from feldera_exporter.readiness import notify
from feldera_exporter.rules.rendering import RuleOptions
from feldera_exporter.server.asgi import application
from feldera_exporter.server.html_pages import Site
from feldera_exporter.server.listener import serving
from feldera_exporter.server.web_access import WebAccess, guarded
from feldera_exporter.state.instance_settings import InstanceSettings
from feldera_exporter.store.poll_changes import NOTHING, StoredState
from feldera_exporter.store.store import Store
from feldera_exporter.telemetry import Telemetry

_MICROSECONDS: Final = 1_000_000
_BRIDGE: Final = ""
"""The name of the task that tells Alertmanager: no instance has it."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the flags say.

    Attributes:
        telemetry_path: where the metrics are.
        storage: the directory of what must survive a restart, None to start anew each time.
        lifecycle: whether `POST /-/reload` is answered.
        prefix: what the paths of pages begin with for who asks: empty, or `/behind/a/proxy`.
        addresses: what alerts link to.
        web: TLS, passwords and headers; None for plain HTTP that anybody may ask.
    """

    telemetry_path: str = "/metrics"
    storage: Path | None = None
    lifecycle: bool = False
    prefix: str = ""
    addresses: RuleOptions = field(default_factory=RuleOptions)
    web: WebAccess | None = None


async def run(load: Callable[[], Configuration], sockets: Sequence[socket.socket], options: Options) -> None:
    """Watch and serve until SIGTERM or SIGINT; SIGHUP loads the configuration again. See `exporting`."""
    ended, reload = ended_by_signal(), asyncio.Event()
    # From now on, also while the first configuration is being loaded: one that comes before is about the first one.
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload.set)
    async with exporting(load, sockets, options) as exporter:
        reloading = asyncio.create_task(_reload_by_signal(reload, exporter.reload))
        notify("READY=1")
        try:
            await exporter.until(ended)
        finally:
            reloading.cancel()
        notify("STOPPING=1")
        structlog.get_logger().info("stopping")


@asynccontextmanager
async def exporting(
    load: Callable[[], Configuration], sockets: Sequence[socket.socket], options: Options
) -> AsyncIterator["Exporter"]:
    """Watch every instance and serve the metrics while the context lasts.

    Args:
        load: reads the configuration; called now and at each reload.
        sockets: listened on already.
        options: what the flags say.

    Raises:
        ConfigError: the configuration is wrong at the start; at a reload the running one stays.
        StoreError: the directory cannot be used.
    """
    log = structlog.get_logger()
    async with AsyncExitStack() as stack:
        store = None
        if options.storage is None:
            log.info("no --storage.path: after a restart, counting begins anew with what Feldera lists then")
        else:
            store = Store.open(options.storage)
            stack.callback(store.close)
        # Everything is loaded before anybody can scrape: a counter must not be seen at 0 and then jump.
        exporter = Exporter(load, store, options.addresses)
        stack.push_async_callback(exporter.stop)
        reload = exporter.reload if options.lifecycle else None
        links = Links(options.prefix, options.telemetry_path, runbooks.exists)
        site = Site(exporter, links)
        app = application(exporter.publisher, options.telemetry_path, reload, site.find, options.prefix)
        web = options.web
        if web is not None:
            app = guarded(app, web.present)
        await stack.enter_async_context(serving(app, sockets, web.listening if web is not None else None))
        bound = [each.getsockname()[:2] for each in sockets]
        addresses = ", ".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in bound)
        log.info("started", version=__version__, instances=len(exporter.instances), addresses=addresses)
        exporter.start()
        yield exporter


def ended_by_signal(*further: signal.Signals) -> asyncio.Event:
    """Return what is set by the first SIGTERM or SIGINT, or by one of `further`."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, *further):
        loop.add_signal_handler(number, ended.set)
    return ended


class Exporter:
    """Every instance, watched; whatever happens to one, no other is disturbed.

    Args:
        load: reads the configuration.
        store: keeps the books, None to start anew after each restart.
        addresses: what alerts link to.

    Attributes:
        publisher: shows what is known.

    Raises:
        ConfigError: the configuration is wrong.
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
        self._running: dict[str, asyncio.Task[None]] = {}
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reloading = asyncio.Lock()
        self._pending: asyncio.Task[Sequence[str]] | None = None
        self._telemetry = Telemetry(__version__, platform.python_version())
        self.publisher = Publisher(self._telemetry)
        self.instances: Mapping[str, _Watched] = {}
        self._lookup = PipelineDetails(self._client_of)
        self._take(self._assembled(load(), []))

    def start(self) -> None:
        """Begin to poll what is not polled already."""
        for name, watched in self.instances.items():
            self._start(name, watched.run)
        if self._bridge is not None:
            self._start(_BRIDGE, self._bridge.run)

    def _start(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if name not in self._running:
            self._running[name] = asyncio.create_task(run())
            self._running[name].add_done_callback(self._ended)

    def page_state(self) -> PageState:
        """Return what is known of every instance now."""
        instances = [
            WatchedInstance(*self.publisher.observed[name], watched.watcher.now(), watched.url)
            for name, watched in self.instances.items()
        ]
        return PageState(instances, self._configuration.alerts, round(time.time() * _MICROSECONDS))

    async def recent(self, instance: str, id_: str, name: str) -> LatestEvents:
        """Ask Feldera about a pipeline; never for long, and never with an error."""
        return await self._lookup.recent(instance, id_, name)

    async def program(self, instance: str, id_: str, name: str, *, failed: bool) -> ProgramDetails:
        """Ask Feldera for a pipeline's description, and why its program failed; never for long, and never with an error."""
        return await self._lookup.program(instance, id_, name, failed=failed)

    def _client_of(self, instance: str) -> Client | None:
        watched = self.instances.get(instance)
        return watched.client if watched else None

    def check(self) -> None:
        """Raise what ended an instance's task, if anything did: only a defect can."""
        if self._broken.done():
            self._broken.result()

    async def until(self, ended: asyncio.Event) -> None:
        """Wait for the end, or raise what ended an instance's task before."""
        waiting = asyncio.create_task(ended.wait())
        watched: list[asyncio.Future[Any]] = [waiting, self._broken]
        try:
            await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        self.check()

    async def stop(self) -> None:
        """End all polling, after a reload that has begun."""
        if self._pending is not None:
            self._pending.cancel()
        async with self._reloading:
            await self._stop(self._running.keys())

    async def _stop(self, names: Iterable[str]) -> None:
        tasks = [self._running.pop(name) for name in tuple(names)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None and not self._broken.done():
            self._broken.set_exception(error)

    async def reload(self) -> Sequence[str]:
        """Load the configuration again and go on with it; return the mistakes, if any: then the running one stays.

        However many want that during a reload, one more follows it, which is theirs.
        """
        if self._pending is None:
            self._pending = asyncio.create_task(self._next_reload())
        # It is not ended by the end of one of those who want it.
        return await asyncio.shield(self._pending)

    async def _next_reload(self) -> Sequence[str]:
        async with self._reloading:
            self._pending = None
            return await self._reload()

    async def _reload(self) -> Sequence[str]:
        clients: list[Client] = []
        try:
            assembly = self._assembled(self._load(), clients)
        except Exception as error:  # noqa: BLE001 - a mistake of our own must not leave half of each configuration
            for client in clients:
                await client.close()
            return self._refused(error)
        # Nothing is shown or counted by both: what is replaced ends before the next takes its place.
        await self._stop(self._running.keys() - self._kept(assembly))
        self._take(assembly)
        self.start()
        self._log.info("configuration reloaded", instances=len(self.instances))
        return ()

    def _kept(self, assembly: "_Assembly") -> set[str]:
        """Return the names of the tasks that go on after a reload."""
        kept = {name for name, watched in assembly.instances.items() if watched is self.instances.get(name)}
        if assembly.bridge is self._bridge:
            kept.add(_BRIDGE)
        return kept

    def _refused(self, error: Exception) -> Sequence[str]:
        """Say why a configuration is not taken up, and return it."""
        match error:
            case ConfigError():
                mistakes = error.mistakes
            case ExporterError():
                mistakes = (str(error),)
            case _:
                mistakes = (f"{type(error).__name__} at {source_location(error)}",)
        self._telemetry.configured(success=False)
        # Whoever watches the metrics is told now, not with the next poll.
        self.publisher.renew()
        for mistake in mistakes:
            self._log.error("configuration not reloaded", mistake=mistake)
        return mistakes

    def _assembled(self, configuration: Configuration, clients: list[Client]) -> "_Assembly":
        """Build all that a configuration asks for, and touch nothing that runs.

        Args:
            configuration: the whole of it.
            clients: gets every client that was made, also where something fails.

        Raises:
            ConfigError: a file that it names can no longer be used.
            StoreError: the books of a new instance cannot be read.
        """
        return _Assembly(
            configuration,
            catalogue(tuple(configuration.tag_labels.expressions), configuration.metrics.exclude),
            {each.name: self._watched(each, configuration, clients) for each in configuration.instances},
            self._bridged(configuration),
        )

    def _bridged(self, configuration: Configuration) -> Bridge | None:
        """Build what tells Alertmanager, None where nobody is to be told."""
        if configuration.alertmanager is None:
            return None
        if self._bridge is not None and _sent(configuration) == _sent(self._configuration):
            return self._bridge
        options = self._addresses.configured(configuration)
        return Bridge(
            configuration.alertmanager,
            [each.name for each in configuration.instances],
            Wording(options, configuration.alertmanager.labels),
            self.recent,
            self._telemetry,
            self._log,
            self._bridge,
        )

    def _publish(self, observed: ObservedInstance, fresh_until: float) -> None:
        """Show the state of an instance, and have it told."""
        self.publisher.publish(observed, fresh_until)
        if self._bridge is not None:
            self._bridge.observe(observed)

    def _missed(self, instance: str) -> None:
        """Take in that a poll failed."""
        if self._bridge is not None:
            self._bridge.missed(instance)

    def _take(self, assembly: "_Assembly") -> None:
        """Let an assembly take the place of the one before; nothing of that one runs any more."""
        for name in self.instances.keys() - assembly.instances.keys():
            self._telemetry.forget(name)
        self.publisher.arrange(list(assembly.instances), assembly.shown)
        self.instances = assembly.instances
        self._configuration = assembly.configuration
        self._bridge = assembly.bridge
        for name, watched in self.instances.items():
            self._telemetry.initialise(name)
            if name not in self._running:
                watched.watcher.show()
        self._telemetry.configured(success=True)
        self.publisher.renew()

    @staticmethod
    def _remembered(remembered: StoredState, log: Logger) -> Problems:
        """Return the problems from before the start; those that cannot be read are found again with the first list."""
        try:
            return decoded(remembered.problems)
        except msgspec.DecodeError as error:
            log.warning("the problems in the store cannot be read", error=str(error))
            return NO_PROBLEMS

    def _watched(self, instance: Instance, configuration: Configuration, clients: list[Client]) -> "_Watched":
        """Build the parts of one instance; one that was there before keeps its books and what it shows.

        One for which the configuration says the same goes on as it is, in the middle of a poll too.
        """
        same = self.instances.get(instance.name)
        if same is not None and _polled(configuration, instance) == same.polled:
            return same
        before = same.watcher if same is not None else None
        log = self._log.bind(feldera_instance=instance.name)
        client = client_for(instance, self._telemetry.observer(instance.name), log)
        clients.append(client)
        if before is not None:
            ledger, problems = before.ledger, before.problems
        else:
            remembered = self._store.load(instance.name) if self._store else NOTHING
            ledger, problems = Ledger(instance.name, remembered), self._remembered(remembered, log)
        watcher = Watcher(
            instance,
            InstanceSettings(configuration, instance),
            client,
            ledger,
            self._store,
            self._publish,
            self._telemetry,
            log,
            before.fleet if before else None,
            problems,
            before.skew if before else UNTOLD,
            # Its last answer is as fresh as it was, unless it is another server's.
            before.fresh_until if before and same and same.url == instance.url else -math.inf,
        )
        # Several instances neither poll nor ask together; a single one has nobody to avoid.
        spread = instance.poll_interval if len(configuration.instances) > 1 else 0.0
        surroundings = PlatformPoller(
            client,
            instance.timeout,
            instance.staleness,
            watcher.fleet.platform,
            watcher.learn,
            watcher.now,
            log,
            spread,
        )
        delay = random.uniform(0, spread)  # noqa: S311
        return _Watched(
            instance.url,
            client,
            watcher,
            surroundings,
            instance.poll_interval,
            delay,
            partial(self._missed, instance.name),
            _polled(configuration, instance),
        )


def _polled(configuration: Configuration, instance: Instance) -> tuple[object, ...]:
    """Return all that the configuration says of how an instance is polled and what is made of it."""
    several = len(configuration.instances) > 1
    return instance, several, replace(configuration, instances=(), metrics=Metrics(), alertmanager=None)


def _sent(configuration: Configuration) -> tuple[object, ...]:
    """Return all that the configuration says of what Alertmanager gets."""
    names = [instance.name for instance in configuration.instances]
    return names, replace(configuration, instances=(), metrics=Metrics(), limits=Limits())


@dataclass(frozen=True, slots=True)
class _Assembly:
    """Everything that a configuration asks for, built and not yet running."""

    configuration: Configuration
    shown: Catalogue
    instances: "Mapping[str, _Watched]"
    bridge: Bridge | None


@dataclass(frozen=True, slots=True)
class _Watched:
    """The parts of one instance that run."""

    url: str
    client: Client
    watcher: Watcher
    surroundings: PlatformPoller
    interval: float
    delay: float
    missed: Callable[[], None]
    polled: tuple[object, ...]

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.surroundings.watch())
                group.create_task(self._poll())
        finally:
            await self.client.close()

    async def _poll(self) -> None:
        """Poll on a grid without drift, never two at once."""
        schedule = Schedule(self.interval, time.monotonic() + self.delay)
        first = True
        while True:
            while (left := schedule.due - time.monotonic()) > 0:
                await asyncio.sleep(min(left, self.watcher.expires_in()))
                self.watcher.expire()
            success, retry_after = await self.watcher.poll()
            if not success:
                self.missed()
            if success and first:
                gc_tuning.freeze_long_lived()
                first = False
            schedule = schedule.ended(time.monotonic(), success=success, retry_after=retry_after)


async def _reload_by_signal(wanted: asyncio.Event, reload: Callable[[], Awaitable[object]]) -> None:
    """Reload whenever it is wanted; however often that was during a reload, one more follows it."""
    while True:
        await wanted.wait()
        wanted.clear()
        await reload()
