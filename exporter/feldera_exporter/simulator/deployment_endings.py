"""How the runner's automaton ends a deployment, and how it clears storage."""

from collections.abc import Callable
from typing import Final

from feldera_exporter.micros import SECOND, Micros, from_seconds
from feldera_exporter.simulator import row_changes
from feldera_exporter.simulator.database import Work
from feldera_exporter.simulator.pipeline import NEVER, Connectors, SimulatedPipeline
from feldera_exporter.simulator.plan import Failure
from feldera_exporter.simulator.row import PipelineRow

DETAILS_AFTER: Final = 10 * SECOND
HEARTBEAT: Final = 600 * SECOND
"""How often an automaton writes: details that changed, and that nothing did."""

Write = Callable[[SimulatedPipeline, Work], Micros]
"""Runs a transaction on a pipeline's row; returns NEVER, as a notification will follow."""

Wake = Callable[[SimulatedPipeline, Micros], None]
"""Polls a pipeline at an instant off the grid, when something that blocks is over."""


def while_(resources: str, change: Callable[[PipelineRow, Micros], PipelineRow]) -> Work:
    """Return the work that changes a row which still has a resources status."""
    return lambda row, at: (change(row, at),) if row.resources == resources else ()


class DeploymentEndings:
    """The handlers of the ways to Stopped and to Cleared; see `RunnerDecisions`."""

    def __init__(self, write: Write, wake: Wake) -> None:
        self._write = write
        self._wake = wake

    def fail(self, pipeline: SimulatedPipeline, failure: Failure | None) -> Micros:
        """Towards Stopped; with an error, or without one as the user asked."""

        def work(row: PipelineRow, at: Micros) -> tuple[PipelineRow, ...]:
            unwanted = row_changes.want_stopped(row, at)
            return unwanted, row_changes.stopping(unwanted, at, failure)

        return self._write(pipeline, work)

    def begin(self, pipeline: SimulatedPipeline, _row: PipelineRow, _now: Micros) -> Micros:
        """Towards Stopped without an error: by the user's wish, or after the last checkpoint."""
        return self.fail(pipeline, None)

    def stop(self, pipeline: SimulatedPipeline, _row: PipelineRow, now: Micros) -> Micros:
        """Stopping: `stop` blocks; where it fails, its reason is written as details are."""
        automaton = pipeline.automaton
        pipeline.process = None
        pipeline.connectors = pipeline.connectors.stopped(now)
        if automaton.stopping_since is None:
            automaton.stopping_since = now
        seconds = pipeline.plan.stopping
        if seconds is None:
            return self._stop_fails(pipeline, now)
        ends = automaton.stopping_since + from_seconds(seconds)
        if now < ends:
            self._wake(pipeline, ends)
            return NEVER
        automaton.updated = automaton.resources_details = automaton.runtime_details = None
        automaton.provisioning_since = automaton.stopping_since = automaton.grace_until = None
        return self._write(pipeline, lambda row, at: (row_changes.stopped(row, at),))

    def _stop_fails(self, pipeline: SimulatedPipeline, now: Micros) -> Micros:
        automaton = pipeline.automaton
        details = "Unable to stop (will retry) due to: the volume is still in use"
        age = NEVER if automaton.updated is None else now - automaton.updated
        differs = automaton.resources_details != details
        if age >= HEARTBEAT or (age >= DETAILS_AFTER and differs):
            automaton.updated, automaton.resources_details = now, details
            return self._write(
                pipeline, while_("Stopping", lambda row, _: row_changes.detailed(row, details))
            )
        return now - age + (DETAILS_AFTER if differs else HEARTBEAT)

    def clear(self, pipeline: SimulatedPipeline, row: PipelineRow, now: Micros) -> Micros:
        """Stopped and to stay so: clear storage, which blocks, if that was asked for."""
        automaton = pipeline.automaton
        if row.storage_status != "Clearing":
            automaton.clearing_since = None
            return NEVER
        if automaton.clearing_since is None:
            automaton.clearing_since = now
        seconds = pipeline.plan.clearing
        if seconds is None:
            return NEVER
        ends = automaton.clearing_since + from_seconds(seconds)
        if now < ends:
            self._wake(pipeline, ends)
            return NEVER
        automaton.clearing_since = None
        pipeline.connectors = Connectors(at=now)
        return self._write(
            pipeline,
            lambda row, _: (row_changes.store(row, "Cleared"),) if row.storage_status == "Clearing" else (),
        )
