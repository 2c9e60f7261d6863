"""How the runner's automaton ends a deployment, and how it clears storage."""

from feldera_exporter.micros import Micros, from_seconds
from feldera_exporter.simulator import row_changes
from feldera_exporter.simulator.pipeline import NEVER, Connectors, Pipeline
from feldera_exporter.simulator.plan import Failure
from feldera_exporter.simulator.row import Row
from feldera_exporter.simulator.runner_actions import DETAILS_AFTER, HEARTBEAT, RunnerActions, while_


class DeploymentEndings:
    """The handlers of the ways to Stopped and to Cleared; see `Decisions`."""

    def __init__(self, hands: RunnerActions) -> None:
        self._hands = hands

    def fail(self, pipeline: Pipeline, failure: Failure | None) -> int:
        """Towards Stopped; with an error, or without one as the user asked."""

        def work(row: Row, at: Micros) -> tuple[Row, ...]:
            unwanted = row_changes.want_stopped(row, at)
            return unwanted, row_changes.stopping(unwanted, at, failure)

        return self._hands.write(pipeline, work)

    def begin(self, pipeline: Pipeline, _row: Row, _now: Micros) -> int:
        """Towards Stopped without an error: by the user's wish, or after the last checkpoint."""
        return self.fail(pipeline, None)

    def stop(self, pipeline: Pipeline, _row: Row, now: Micros) -> int:
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
            self._hands.wake(pipeline, ends)
            return NEVER
        automaton.updated = automaton.resources_details = automaton.runtime_details = None
        automaton.provisioning_since = automaton.stopping_since = automaton.grace_until = None
        return self._hands.write(pipeline, lambda row, at: (row_changes.stopped(row, at),))

    def _stop_fails(self, pipeline: Pipeline, now: Micros) -> int:
        automaton = pipeline.automaton
        details = "Unable to stop (will retry) due to: the volume is still in use"
        age = NEVER if automaton.updated is None else now - automaton.updated
        differs = automaton.resources_details != details
        if age >= HEARTBEAT or (age >= DETAILS_AFTER and differs):
            automaton.updated, automaton.resources_details = now, details
            return self._hands.write(
                pipeline, while_("Stopping", lambda row, _: row_changes.detailed(row, details))
            )
        return now - age + (DETAILS_AFTER if differs else HEARTBEAT)

    def clear(self, pipeline: Pipeline, row: Row, now: Micros) -> int:
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
            self._hands.wake(pipeline, ends)
            return NEVER
        automaton.clearing_since = None
        pipeline.connectors = Connectors(at=now)
        return self._hands.write(
            pipeline,
            lambda row, _: (row_changes.store(row, "Cleared"),) if row.storage_status == "Clearing" else (),
        )
