"""A pipeline's process: its start, the requests to it, its end. The runner only polls its status."""

from collections.abc import Callable
from typing import Final

from feldera_exporter.micros import from_seconds
from feldera_exporter.simulator.api_errors import refusal
from feldera_exporter.simulator.event_queue import EventQueue
from feldera_exporter.simulator.pipeline import Process, SimulatedPipeline
from feldera_exporter.simulator.plan import Failure

STEADY: Final = frozenset({"Running", "Paused", "Standby"})

_ALLOWED: Final = frozenset(
    {
        ("Standby", "Paused"),
        ("Standby", "Running"),
        ("Paused", "Running"),
        ("Paused", "Suspended"),
        ("Running", "Paused"),
        ("Running", "Suspended"),
    }
)
"""Which desired status may follow which (feldera-types `runtime_status.rs`, `may_transition_to`)."""


class PipelineProcesses:
    """The processes of all pipelines; `changed` is called after every change, to schedule the next poll.

    Source of the statuses: adapters `server.rs`, `/status`. Nothing here writes to the database: what changes
    and changes back between two polls of the runner never was.
    """

    def __init__(self, event_queue: EventQueue, changed: Callable[[SimulatedPipeline], None]) -> None:
        self._event_queue = event_queue
        self._changed = changed

    def launch(self, pipeline: SimulatedPipeline) -> None:
        """Start the process of a deployment that was just provisioned."""
        process = Process("Initializing", pipeline.row.initial or "Running", self._event_queue.now)
        pipeline.process = process
        self._after(pipeline, process, pipeline.plan.initializing)

    def ask(self, pipeline: SimulatedPipeline, desired: str) -> None:
        """Deliver /pause, /resume, /activate or /suspend.

        Raises:
            ApiError: the pipeline does not answer, or not yet, or cannot go there from where it is.
        """
        process = self.reach(pipeline, desired)
        if process.status in {"Initializing", "AwaitingApproval"}:
            raise refusal(process.status)
        if process.desired != desired and (process.desired, desired) not in _ALLOWED:
            raise refusal("InvalidTransition", current=process.desired, target=desired)
        process.desired = desired
        if desired == "Suspended":
            self._after(pipeline, process, pipeline.plan.checkpointing)
        elif process.status in STEADY:
            self._after(pipeline, process, pipeline.plan.reaction)

    def approve(self, pipeline: SimulatedPipeline) -> None:
        """Deliver /approve.

        Raises:
            ApiError: the pipeline does not answer, or awaits no approval.
        """
        process = self.reach(pipeline, "approve")
        if process.status != "AwaitingApproval":
            raise refusal("UnexpectedBootstrap")
        self._after(pipeline, process, pipeline.plan.reaction)

    def fail(self, pipeline: SimulatedPipeline, failure: Failure) -> None:
        """Let the process die, or answer with a fatal error: the runner will stop the deployment."""
        if pipeline.process is not None:
            pipeline.process.failure = failure
            pipeline.process.step += 1
            self._changed(pipeline)

    def vanish(self, pipeline: SimulatedPipeline) -> None:
        """Let the process stop answering, while its resources look well."""
        if pipeline.process is not None:
            pipeline.process.reachable = False
            pipeline.process.step += 1
            self._changed(pipeline)

    def reappear(self, pipeline: SimulatedPipeline, *, restarted: bool) -> None:
        """Let the process answer again: as it was, or from Initializing on, as a restarted pod does."""
        process = pipeline.process
        if process is None:
            return
        process.reachable = True
        if restarted:
            process.status, process.phase = "Initializing", 0
            self._after(pipeline, process, pipeline.plan.initializing)
        else:
            self._go_on(pipeline, process)
        self._changed(pipeline)

    def replan(self, pipeline: SimulatedPipeline) -> None:
        """Restart the present step after the plan has changed."""
        process = pipeline.process
        if process is not None and process.reachable and process.failure is None:
            self._go_on(pipeline, process)

    def set_status(self, pipeline: SimulatedPipeline, status: str, seconds: float | None) -> None:
        """Let the process report any status, known or not, for some seconds or until another call changes it."""
        process = pipeline.process
        if process is not None:
            process.status = status
            self._after(pipeline, process, seconds)
            self._changed(pipeline)

    def reach(self, pipeline: SimulatedPipeline, request: str) -> Process:
        """Return the process if the manager would forward a request to it (`runner/interaction.rs`)."""
        row, process = pipeline.row, pipeline.process
        if row.resources != "Provisioned" or process is None:
            raise refusal(
                "PipelineInteractionNotDeployed",
                pipeline_name=row.name,
                status=row.resources,
                desired_status=row.resources_desired,
            )
        if row.runtime == "Unavailable":
            raise refusal("PipelineUnavailable", pipeline_name=row.name)
        if not process.reachable or process.failure is not None:
            raise refusal(
                "PipelineInteractionUnreachable",
                pipeline_name=row.name,
                request=request,
                error="the pipeline did not answer",
            )
        return process

    def _go_on(self, pipeline: SimulatedPipeline, process: Process) -> None:
        """Schedule the end of the present status."""
        plan = pipeline.plan
        if process.status == "Initializing":
            self._after(pipeline, process, plan.initializing)
        elif process.desired == "Suspended":
            self._after(pipeline, process, plan.checkpointing)
        elif process.status in STEADY:
            self._after(pipeline, process, plan.reaction)
        elif 0 < process.phase <= len(plan.path):
            self._after(pipeline, process, plan.path[process.phase - 1].seconds)

    def _after(self, pipeline: SimulatedPipeline, process: Process, seconds: float | None) -> None:
        process.step += 1
        if seconds is not None:
            self._event_queue.at(
                self._event_queue.now + from_seconds(seconds), self._advance, pipeline, process, process.step
            )

    def _advance(self, pipeline: SimulatedPipeline, process: Process, step: int) -> None:
        """Go to the next status: the rest of the path, then what is desired."""
        if process.step != step:
            return
        path = pipeline.plan.path
        if process.status not in STEADY and process.phase < len(path):
            phase = path[process.phase]
            process.phase += 1
            process.status = phase.status
            self._after(pipeline, process, phase.seconds)
        else:
            process.phase = len(path)
            process.status = process.desired
            process.step += 1
        self._changed(pipeline)
