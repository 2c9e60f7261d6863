"""Faults of pipelines and their runner: crashes, lost pods, frozen runners, broken connectors."""

from feldera_exporter.micros import from_seconds
from feldera_exporter.simulator.instance import FelderaInstance
from feldera_exporter.simulator.pipeline import NEVER, Connectors, Process, SimulatedPipeline
from feldera_exporter.simulator.plan import Failure


class PipelineFaults:
    """Injects faults into one instance; most methods take a pipeline's name and act at once."""

    def __init__(self, instance: FelderaInstance) -> None:
        self._instance = instance

    def crash(self, name: str, failure: Failure | str = "RuntimeError.WorkerPanic") -> None:
        """Let a pipeline fail for good: the runner sees it at its next poll and stops the deployment."""
        if isinstance(failure, str):
            failure = Failure(failure, f"The pipeline failed with {failure}.", {})
        with self._instance.lock:
            self._instance.processes.fail(self._instance.get(name), failure)

    def lose(self, name: str, seconds: float | None = None, *, restarts: bool = False) -> None:
        """Make a pipeline unreachable for some seconds, or until `find`.

        One that restarts then begins from Initializing, as a pod does that Kubernetes restarted: with the same deployment and
        without an error.
        """
        with self._instance.lock:
            pipeline = self._instance.get(name)
            self._instance.processes.vanish(pipeline)
            if seconds is not None:
                instant = self._instance.event_queue.now + from_seconds(seconds)
                self._instance.event_queue.at(instant, self._reappear, pipeline, pipeline.process, restarts)

    def find(self, name: str, *, restarted: bool = False) -> None:
        """Let a lost pipeline answer again."""
        with self._instance.lock:
            self._instance.processes.reappear(self._instance.get(name), restarted=restarted)

    def crash_loop(self, name: str, up: float, down: float, times: int = 1_000_000) -> None:
        """Let Kubernetes restart a pipeline's pod again and again: `down` seconds away, `up` seconds there."""
        with self._instance.lock:
            pipeline = self._instance.get(name)
            self._fall(pipeline, pipeline.process, from_seconds(up), from_seconds(down), times)

    def report(self, name: str, status: str, seconds: float | None = None) -> None:
        """Let a pipeline report any runtime status of itself, for some seconds or until something else changes it."""
        with self._instance.lock:
            self._instance.processes.set_status(self._instance.get(name), status, seconds)

    def connector_errors(self, name: str, count: int = 0, per_second: float = 0.0) -> None:
        """Add errors to those that a pipeline's connectors have met, and let so many more come per second."""
        with self._instance.lock:
            pipeline = self._instance.get(name)
            now = self._instance.event_queue.now
            have = pipeline.connectors.errors(now)
            pipeline.connectors = Connectors(have + count, per_second, now)
            self._instance.runner.attend(pipeline, now)

    def freeze(self, name: str | None = None, seconds: float | None = None) -> None:
        """Let the runner do nothing, for one pipeline or for all, for some seconds or until `thaw`."""
        with self._instance.lock:
            until = NEVER if seconds is None else self._instance.settle() + from_seconds(seconds)
            self._instance.runner.freeze(self._one(name), until)

    def thaw(self, name: str | None = None) -> None:
        """Let a frozen runner go on."""
        with self._instance.lock:
            self._instance.settle()
            self._instance.runner.thaw(self._one(name))

    def restart_manager(self, *, keeps_processes: bool = False) -> None:
        """Restart the pipeline manager.

        Args:
            keeps_processes: whether the pipelines survive it, as on Kubernetes. The open-source runner's
                pipelines are its children: it finds them gone and stops each with a RunnerCheckError.
        """
        with self._instance.lock:
            for pipeline in self._instance.pipelines():
                if not keeps_processes:
                    pipeline.process = None
            self._instance.runner.restart()
            self._instance.cluster.restart()
            self._instance.compiler.restart(self._instance.pipelines(), self._instance.version)

    def upgrade(self, version: str, *, keeps_processes: bool = True) -> None:
        """Restart the pipeline manager as another version of it; programs that are not compiled yet are compiled again."""
        with self._instance.lock:
            self._instance.settle()
            self._instance.version = version
            self._instance.database.version += 1
            self.restart_manager(keeps_processes=keeps_processes)

    def restart_compiler(self, name: str | None = None) -> None:
        """Restart the compiler, or one pipeline's: CompilingSql goes back to Pending, CompilingRust to SqlCompiled."""
        with self._instance.lock:
            pipeline = self._one(name)
            pipelines = self._instance.pipelines() if pipeline is None else [pipeline]
            self._instance.compiler.restart(pipelines, self._instance.version)

    def lose_database(self) -> None:
        """Make the database unreachable: requests that need it get 500, and nothing is written."""
        with self._instance.lock:
            self._instance.settle()
            self._instance.database.down = True
            self._instance.cluster.running = False

    def find_database(self) -> None:
        """Let the database be reached again; who waits for it tries again soon."""
        with self._instance.lock:
            self._instance.settle()
            self._instance.database.down = False
            self._instance.cluster.running = True

    def hold_lock(self, name: str, seconds: float) -> None:
        """Hold the lock of a pipeline's row, so that other transactions wait and commit late."""
        with self._instance.lock:
            self._instance.database.hold(self._instance.get(name), seconds)

    def service(self, service: str, complaint: str | None) -> None:
        """Let a service of the cluster be unhealthy, or with None healthy again."""
        with self._instance.lock:
            self._instance.settle()
            self._instance.cluster.health[service] = complaint

    def _one(self, name: str | None) -> SimulatedPipeline | None:
        return None if name is None else self._instance.get(name)

    def _reappear(self, pipeline: SimulatedPipeline, process: Process | None, restarts: bool) -> None:  # noqa: FBT001
        if pipeline.process is process:
            self._instance.processes.reappear(pipeline, restarted=restarts)

    def _fall(
        self, pipeline: SimulatedPipeline, process: Process | None, up: int, down: int, times: int
    ) -> None:
        """Make the pod unreachable, and schedule its return and the next failure while it is the same deployment."""
        if pipeline.process is process and times > 0:
            self._instance.processes.vanish(pipeline)
            now = self._instance.event_queue.now
            self._instance.event_queue.at(now + down, self._reappear, pipeline, process, True)
            self._instance.event_queue.at(now + down + up, self._fall, pipeline, process, up, down, times - 1)
