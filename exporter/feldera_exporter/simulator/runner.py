"""The runner: when each pipeline's automaton polls, and how it writes its decisions.

Source: pipeline-manager `runner/pipeline_automata.rs`. A poll at which nothing can be seen or done is not
simulated: the next one that matters is computed, on the grid that the last poll began.
"""

from random import Random
from typing import Final

from feldera_exporter.micros import SECOND, Micros
from feldera_exporter.simulator.api_errors import ApiError
from feldera_exporter.simulator.database import Database, Work
from feldera_exporter.simulator.event_queue import EventQueue
from feldera_exporter.simulator.pipeline import NEVER, Automaton, SimulatedPipeline
from feldera_exporter.simulator.pipeline_processes import PipelineProcesses
from feldera_exporter.simulator.runner_decisions import RunnerDecisions

PERIODS: Final = {
    "Stopped": 2_500_000,
    "Provisioning": SECOND,
    "Provisioned": 2_500_000,
    "Stopping": SECOND,
}
"""Microseconds between two polls, by resources status."""

BACKOFF: Final = 5 * SECOND


class Runner:
    """The automata of all pipelines; the timeout is the default for provisioning, in seconds."""

    def __init__(
        self,
        event_queue: EventQueue,
        database: Database,
        processes: PipelineProcesses,
        seed: int,
        timeout: float,
    ) -> None:
        self._event_queue = event_queue
        self._database = database
        self._random = Random(f"runner/{seed}")
        self._frozen_until = 0
        self._decisions = RunnerDecisions(event_queue, database, processes, timeout, self._write, self._wake)

    def notify(self, pipeline: SimulatedPipeline) -> None:
        """Poll at once, as after Postgres's NOTIFY: a few milliseconds later."""
        self._wake(pipeline, self._event_queue.now + 2_000 + int(self._random.random() * 15_000))

    def attend(self, pipeline: SimulatedPipeline, instant: Micros) -> None:
        """Poll at the first instant of the grid that is not before another."""
        automaton = pipeline.automaton
        period = PERIODS[pipeline.row.resources]
        steps = max(1, -((automaton.anchor - max(instant, self._event_queue.now)) // period))
        self._wake(pipeline, automaton.anchor + steps * period)

    def freeze(self, pipeline: SimulatedPipeline | None, until: Micros = NEVER) -> None:
        """Let a pipeline's automaton, or with None all of them, do nothing until an instant."""
        if pipeline is None:
            self._frozen_until = until
        else:
            pipeline.automaton.frozen_until = until
        if until < NEVER:
            self._event_queue.at(until, self._thaw, pipeline, until)

    def thaw(self, pipeline: SimulatedPipeline | None) -> None:
        """Let what was frozen go on."""
        if pipeline is None:
            self._frozen_until = 0
        else:
            pipeline.automaton.frozen_until = 0
        for thawed in list(self._database) if pipeline is None else [pipeline]:
            self.notify(thawed)

    def restart(self) -> None:
        """Forget everything, as a restarted runner has, and go on from what the rows say."""
        for pipeline in list(self._database):
            token, log = pipeline.automaton.token + 1, pipeline.log
            pipeline.automaton = Automaton(
                anchor=self._event_queue.now,
                token=token,
                begun=self._event_queue.now,
                recorded=log.trimmed + len(log),
            )
            self.notify(pipeline)

    def _thaw(self, pipeline: SimulatedPipeline | None, until: Micros) -> None:
        """Thaw at the end of the time, unless it was frozen for longer since."""
        if (self._frozen_until if pipeline is None else pipeline.automaton.frozen_until) == until:
            self.thaw(pipeline)

    def _wake(self, pipeline: SimulatedPipeline, instant: Micros) -> None:
        automaton = pipeline.automaton
        if instant < automaton.wake:
            automaton.token += 1
            automaton.wake = instant
            self._event_queue.at(instant, self._poll, pipeline, automaton.token)

    def _poll(self, pipeline: SimulatedPipeline, token: int) -> None:
        automaton, now = pipeline.automaton, self._event_queue.now
        if token != automaton.token or not pipeline.alive:
            return
        automaton.wake = NEVER
        if automaton.busy or now < max(automaton.frozen_until, self._frozen_until):
            return
        automaton.anchor = now
        due = self._decisions.decide(pipeline, now)
        if due < NEVER and not automaton.busy:
            self.attend(pipeline, due)

    def _write(self, pipeline: SimulatedPipeline, work: Work) -> int:
        """Write in a transaction; the automaton does nothing else until that is over."""
        automaton = pipeline.automaton
        automaton.busy = True
        version = pipeline.row.version

        def done(error: ApiError | None) -> None:
            automaton.busy = False
            if error is None:
                self.notify(pipeline)
            else:
                self._wake(pipeline, self._event_queue.now + BACKOFF)

        # The version guard: what was decided on an outdated row is not done.
        self._database.write(
            pipeline, "runner", lambda row, at: work(row, at) if row.version == version else (), done
        )
        return NEVER
