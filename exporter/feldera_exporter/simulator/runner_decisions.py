"""The decisions of the runner's automaton at a poll, by the actual and the desired resources status.

Source: pipeline-manager `runner/pipeline_automata.rs`, `do_run` and the `transit_*` functions.
"""

from collections.abc import Callable
from typing import Final

from feldera_exporter.micros import SECOND, Micros, from_seconds
from feldera_exporter.simulator import row_changes
from feldera_exporter.simulator.database import Database
from feldera_exporter.simulator.deployment_endings import (
    DETAILS_AFTER,
    HEARTBEAT,
    DeploymentEndings,
    Wake,
    Write,
    while_,
)
from feldera_exporter.simulator.event_queue import EventQueue
from feldera_exporter.simulator.failures import failed_compilation, provisioning_timeout
from feldera_exporter.simulator.pipeline import NEVER, SimulatedPipeline
from feldera_exporter.simulator.pipeline_processes import PipelineProcesses
from feldera_exporter.simulator.plan import Failure
from feldera_exporter.simulator.row import PipelineRow
from feldera_exporter.simulator.runner_observation import RESOURCES, RunnerObservation, next_change, observe
from feldera_exporter.simulator.runtime_config import provisioning_seconds
from feldera_exporter.simulator.uuid7 import uuid_text

Handler = Callable[[SimulatedPipeline, PipelineRow, int], int]
"""Gets a pipeline, its row and the present instant."""

GRACE: Final = 20 * SECOND


class RunnerDecisions:
    """One handler per pair of resources status and desired status.

    Each returns from when on the next poll could see or do anything, NEVER if only a notification can.
    """

    def __init__(
        self,
        event_queue: EventQueue,
        database: Database,
        processes: PipelineProcesses,
        timeout: float,
        write: Write,
        wake: Wake,
    ) -> None:
        self._event_queue = event_queue
        self._database = database
        self._processes = processes
        self._timeout = timeout
        self._write = write
        self._endings = endings = DeploymentEndings(write, wake)
        self._handlers: dict[tuple[str, str], Handler] = {
            ("Stopped", "Stopped"): endings.clear,
            ("Stopped", "Provisioned"): self._start,
            ("Provisioning", "Provisioned"): self._provision,
            ("Provisioning", "Stopped"): endings.begin,
            ("Provisioned", "Provisioned"): self._watch,
            ("Provisioned", "Stopped"): endings.begin,
            ("Stopping", "Stopped"): endings.stop,
        }

    def decide(self, pipeline: SimulatedPipeline, now: Micros) -> Micros:
        """Do what is to be done at a poll; returns from when on the next one matters."""
        row = pipeline.row
        return self._handlers[row.resources, row.resources_desired](pipeline, row, now)

    def _start(self, pipeline: SimulatedPipeline, row: PipelineRow, now: Micros) -> Micros:
        """Stopped but wanted: wait for the program, then check, then provision."""
        if row.program_status in row_changes.FAILED:
            return self._refuse(pipeline, failed_compilation(row.program_status))
        if row.program_status != "Success":
            return NEVER
        if pipeline.plan.refused is not None:
            return self._refuse(pipeline, pipeline.plan.refused)
        deployment = uuid_text(self._database.ids["runner"](now))

        def work(row: PipelineRow, at: Micros) -> tuple[PipelineRow, ...]:
            if row.resources_desired == "Stopped":
                return ()
            stored = row_changes.store(row, "InUse")
            return stored, row_changes.provisioning(stored, at, deployment)

        return self._write(pipeline, work)

    def _refuse(self, pipeline: SimulatedPipeline, failure: Failure) -> Micros:
        def work(row: PipelineRow, at: Micros) -> tuple[PipelineRow, ...]:
            unwanted = row_changes.want_stopped(row, at)
            return unwanted, row_changes.failed_start(unwanted, at, failure)

        return self._write(pipeline, work)

    def _provision(self, pipeline: SimulatedPipeline, row: PipelineRow, now: Micros) -> Micros:
        """Provisioning: until the resources are there, an error, or the timeout."""
        automaton, plan = pipeline.automaton, pipeline.plan
        if automaton.provisioning_since is None:
            automaton.provisioning_since = now
            return now
        own = provisioning_seconds(row.runtime_config)
        timeout: float = self._timeout if own is None else own
        ready = (
            NEVER
            if plan.provisioning is None
            else automaton.provisioning_since + from_seconds(plan.provisioning)
        )
        if now >= ready and plan.provision_failure is None:
            return self._provisioned(pipeline)
        if now >= ready:
            return self._endings.fail(pipeline, plan.provision_failure)
        if (now - row.resources_since) // 1000 > timeout * 1000:
            return self._endings.fail(pipeline, provisioning_timeout(timeout))
        due = min(ready, row.resources_since + from_seconds(timeout) + 1000)
        details = RESOURCES
        if automaton.resources_details == details:
            return due
        # A new automaton, or one that has stopped, has written no details: nothing makes it wait.
        automaton.updated, automaton.resources_details = now, details
        return self._write(
            pipeline, while_("Provisioning", lambda row, _: row_changes.detailed(row, details))
        )

    def _provisioned(self, pipeline: SimulatedPipeline) -> Micros:
        automaton = pipeline.automaton

        def work(row: PipelineRow, at: Micros) -> tuple[PipelineRow, ...]:
            # Only this automaton, which waits for this transaction, changes a pipeline's resources status.
            automaton.grace_until = self._event_queue.now + GRACE
            self._processes.launch(pipeline)
            return (row_changes.provisioned(row, at, RESOURCES),)

        return self._write(pipeline, work)

    def _watch(self, pipeline: SimulatedPipeline, row: PipelineRow, now: Micros) -> Micros:
        """Provisioned: sample the pipeline's status, write what changed, else a heartbeat now and then."""
        automaton = pipeline.automaton
        seen = observe(pipeline, now)
        if isinstance(seen, Failure):
            return self._endings.fail(pipeline, seen)
        if seen.runtime == "Suspended":
            return self._endings.begin(pipeline, row, now)
        changed = (row.runtime, row.runtime_desired) != (seen.runtime, seen.desired)
        age = NEVER if automaton.updated is None else now - automaton.updated
        if changed or age >= HEARTBEAT or (age >= DETAILS_AFTER and _differs(pipeline, seen)):
            automaton.updated = now
            automaton.resources_details = seen.resources_details
            automaton.runtime_details = seen.runtime_details
            automaton.storage_details = seen.storage_details
            if seen.runtime != row.runtime:
                automaton.grace_until = None
            return self._write(
                pipeline, while_("Provisioned", lambda row, at: row_changes.observed(row, at, seen))
            )
        return self._next_sight(pipeline, seen, now)

    def _next_sight(self, pipeline: SimulatedPipeline, seen: RunnerObservation, now: Micros) -> Micros:
        """Return when the runner will next write, as far as can be known now."""
        automaton = pipeline.automaton
        updated = automaton.updated or now
        due = updated + HEARTBEAT
        change = now if _differs(pipeline, seen) else next_change(pipeline, now)
        due = min(due, max(change, updated + DETAILS_AFTER))
        process = pipeline.process
        if process is not None and not process.reachable and automaton.grace_until is not None:
            due = min(due, automaton.grace_until + 1)
        return due


def _differs(pipeline: SimulatedPipeline, seen: RunnerObservation) -> bool:
    """Return whether any details differ from those that the automaton wrote last."""
    automaton = pipeline.automaton
    return (
        seen.resources_details != automaton.resources_details
        or seen.runtime_details != automaton.runtime_details
        or (seen.storage_details is not None and seen.storage_details != automaton.storage_details)
    )
