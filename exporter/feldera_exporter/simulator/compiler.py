"""The compiler: takes each program through its statuses, one job after the other."""

from collections.abc import Iterable
from typing import Final

from feldera_exporter.micros import SECOND, from_seconds
from feldera_exporter.simulator import row_changes
from feldera_exporter.simulator.api_errors import ApiError
from feldera_exporter.simulator.database import Database
from feldera_exporter.simulator.event_queue import EventQueue
from feldera_exporter.simulator.pipeline import SimulatedPipeline
from feldera_exporter.simulator.plan import Failure, Plan

BACKOFF: Final = 30 * SECOND
"""How long the compiler waits after an error of the database."""

_ENDS: Final = {
    "CompilingSql": {"SqlError": "SqlError"},
    "CompilingRust": {"RustError": "RustError", "Killed": "SqlCompiled"},
}
"""How a compilation ends that does not succeed, by its stage and the plan's `compiled_as`."""

_NEXT: Final = {
    "Pending": "CompilingSql",
    "CompilingSql": "SqlCompiled",
    "SqlCompiled": "CompilingRust",
    "CompilingRust": "Success",
}

_BACK: Final = {"CompilingSql": "Pending", "CompilingRust": "SqlCompiled"}
"""Where a restarted compiler begins again (`compiler/sql_compiler.rs`, `rust_compiler.rs`)."""

_LENGTHS: Final = {
    "Pending": lambda plan: plan.pending,
    "CompilingSql": lambda plan: plan.compiling_sql,
    "SqlCompiled": lambda plan: plan.sql_compiled,
    "CompilingRust": lambda plan: plan.compiling_rust,
}


class Compiler:
    """Compiles every program as its pipeline's plan says."""

    def __init__(self, event_queue: EventQueue, database: Database) -> None:
        self._event_queue = event_queue
        self._database = database

    def look(self, pipeline: SimulatedPipeline) -> None:
        """Notice a new program after a commit."""
        if pipeline.taken != pipeline.row.program_version:
            pipeline.taken = pipeline.row.program_version
            self.take(pipeline)

    def take(self, pipeline: SimulatedPipeline) -> None:
        """Schedule the end of a program's present stage, in place of what was scheduled before."""
        pipeline.compiling += 1
        status = pipeline.row.program_status
        if status not in _NEXT:
            return
        seconds = _LENGTHS[status](pipeline.plan)
        if seconds is not None:
            self._event_queue.at(
                self._event_queue.now + from_seconds(seconds), self._finish, pipeline, pipeline.compiling
            )

    def restart(self, pipelines: Iterable[SimulatedPipeline], platform: str) -> None:
        """Restart what compiles these pipelines: a program that was being compiled goes back into the queue.

        One that was to be compiled by another version of the platform is compiled by this one.
        """
        for pipeline in pipelines:
            status = pipeline.row.program_status
            if status in _NEXT and pipeline.row.platform_version != platform:
                pipeline.compiling += 1
                self._database.write(
                    pipeline,
                    "compiler",
                    lambda row, at: (
                        (row_changes.upgraded(row, at, platform),) if row.resources == "Stopped" else ()
                    ),
                )
            elif status in _BACK:
                self._set(pipeline, _BACK[status])

    def _finish(self, pipeline: SimulatedPipeline, job: int) -> None:
        if pipeline.compiling == job and pipeline.alive and pipeline.row.program_status in _NEXT:
            self._set(pipeline, _outcome(pipeline.row.program_status, pipeline.plan))

    def _set(self, pipeline: SimulatedPipeline, status: str) -> None:
        pipeline.compiling += 1
        job = pipeline.compiling
        known = (pipeline.row.program_version, pipeline.row.program_status)
        self._database.write(
            pipeline,
            "compiler",
            lambda row, at: (
                (row_changes.program(row, at, status, _failure(status)),)
                if (row.program_version, row.program_status) == known and row.resources == "Stopped"
                else ()
            ),
            lambda error: self._done(pipeline, job, error),
        )

    def _done(self, pipeline: SimulatedPipeline, job: int, error: ApiError | None) -> None:
        """Go on with the next stage; after a failed transaction, repeat the same stage some time later."""
        if error is not None:
            self._event_queue.at(self._event_queue.now + BACKOFF, self._done, pipeline, job, None)
        elif pipeline.compiling == job and pipeline.alive:
            self.take(pipeline)


def _outcome(status: str, plan: Plan) -> str:
    if plan.compiled_as == "SystemError" and status == plan.system_error_in:
        return "SystemError"
    return _ENDS.get(status, {}).get(plan.compiled_as, _NEXT[status])


def _failure(status: str) -> Failure | None:
    """Return what the compiler says of a program that it could not compile."""
    if status not in row_changes.FAILED:
        return None
    return Failure(status, "Compilation error: the program names a column that its table does not have.")
