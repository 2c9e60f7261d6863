"""The parts of one simulated Feldera instance, and its clock: what happens by itself."""

from collections.abc import Callable
from threading import RLock
from typing import Any, Final, Protocol

from feldera_exporter.micros import SECOND, Micros, from_seconds
from feldera_exporter.simulator.cluster import Cluster
from feldera_exporter.simulator.compiler import Compiler
from feldera_exporter.simulator.database import Database
from feldera_exporter.simulator.event_queue import EventQueue
from feldera_exporter.simulator.manager_processes import ManagerProcesses
from feldera_exporter.simulator.pipeline import Process, SimulatedPipeline
from feldera_exporter.simulator.pipeline_processes import PipelineProcesses
from feldera_exporter.simulator.plan import Plan
from feldera_exporter.simulator.runner import Runner
from feldera_exporter.simulator.versions import NEWEST, Fact, has, parse_version

CLEANING: Final = 30 * SECOND
"""How often events beyond the retention are deleted (pipeline-manager `db/events_cleaner.rs`)."""


class Clock(Protocol):
    """Tells the time; never goes back."""

    def now(self) -> Micros:
        """Return the present instant."""


class FelderaInstance:
    """The parts of an instance, on a clock that the caller controls; safe to use from several threads.

    Whatever is due up to `clock.now()` happens, each thing at its own instant, when `settle` is called, and
    before every operation and answer. With the same seed, clock readings and operations it all happens again
    the same way.

    Args:
        provisioning_timeout: the runner's default, in seconds.
        retention: how many events of a pipeline are kept, approximately.
        edition: "Enterprise", "EnterpriseDev" or "Open source"; the last stops by force only.

    Raises:
        UnknownVersionError: it cannot be that version.

    Attributes:
        event_queue: what happens next, and the present instant.
        lock: held while anything is read or changed.
    """

    def __init__(
        self,
        clock: Clock,
        seed: int = 0,
        *,
        provisioning_timeout: float = 20.0,
        retention: int = 720,
        version: str = NEWEST,
        edition: str = "Enterprise",
        tenant: str = "default",
        processes: ManagerProcesses | None = None,
        plan: Plan | None = None,
    ) -> None:
        self.clock = clock
        parse_version(version)
        self.version = version
        self.edition = edition
        self.tenant = tenant
        self.retention = retention
        self.plan = plan or Plan()
        self.lock = RLock()
        self.event_queue = EventQueue(clock.now())
        self.started_at = self.event_queue.now
        self.database = Database(self.event_queue, seed, processes or ManagerProcesses())
        self.processes = PipelineProcesses(self.event_queue, self._watched)
        self.compiler = Compiler(self.event_queue, self.database)
        self.runner = Runner(self.event_queue, self.database, self.processes, seed, provisioning_timeout)
        self.database.listeners += [self.runner.notify, self.compiler.look]
        self.cluster = Cluster(self.event_queue, seed)
        self.event_queue.at(self.event_queue.now + CLEANING, self._clean)

    def settle(self) -> Micros:
        """Let everything happen that is due, and return the instant reached."""
        with self.lock:
            self.event_queue.run(self.clock.now())
            return self.event_queue.now

    @property
    def is_enterprise(self) -> bool:
        """Whether it is an edition that is paid for."""
        return self.edition != "Open source"

    def has(self, fact: Fact) -> bool:
        """Return whether the instance's version has a fact."""
        return has(parse_version(self.version), fact)

    def get(self, name: str) -> SimulatedPipeline:
        """Return a pipeline as it is now."""
        with self.lock:
            self.settle()
            return self.database.get(name)

    def later(self, seconds: float, action: Callable[..., None], *arguments: Any) -> None:
        """Add an action for a later instant of Feldera's clock; it may use the instance as any caller does."""
        with self.lock:
            self.event_queue.at(self.settle() + from_seconds(seconds), action, *arguments)

    def pipelines(self) -> list[SimulatedPipeline]:
        """Return all pipelines in the order of their ids, as they are now."""
        with self.lock:
            self.settle()
            return list(self.database)

    def reach(self, name: str, request: str) -> Process:
        """Return a pipeline's process if the manager would forward a request to it."""
        with self.lock:
            return self.processes.reach(self.get(name), request)

    def _watched(self, pipeline: SimulatedPipeline) -> None:
        self.runner.attend(pipeline, self.event_queue.now)

    def _clean(self) -> None:
        self.event_queue.at(self.event_queue.now + CLEANING, self._clean)
        self.database.clean(self.retention)
