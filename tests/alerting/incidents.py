"""What happens to the pipelines, and which notifications follow: one scenario for each kind of incident."""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from alerting.chain import AlertingChain
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.plan import Phase, Plan
from support.notifications import AlertChange
from support.plans import INSTANT

Scenario = Generator[Callable[[], object]]
"""Does something and yields what it then waits for, again and again."""

LIMIT: Final = "3s"
"""How long the stuck ones may last."""

PATIENT: Final = {"provisioning_timeout_secs": 10**6}
"""A configuration by which the runner itself does not give up provisioning."""


@dataclass
class ScenarioState:
    """What the scenarios share.

    Attributes:
        chain: what runs.
        expected: the notifications that the scenarios expect so far.
        open: scenarios that have not yet come to the point where their trouble lasts.
        passing: scenarios that nothing waits for and that are not over.
        exporters_back: whether the exporters have been killed and are back.
        alertmanager_away: whether Alertmanager has been stopped.
        ended_meanwhile: whether a trouble has ended since.
        notified_later: whether that was notified.
        evaluator_back: whether what evaluates the rules has been killed and is back.
    """

    chain: AlertingChain
    expected: list[AlertChange] = field(default_factory=list)
    open: int = 0
    passing: int = 0
    exporters_back: bool = False
    alertmanager_away: bool = False
    ended_meanwhile: bool = False
    notified_later: bool = False
    evaluator_back: bool = False

    def feldera(self, instance: str) -> Feldera:
        """Return a Feldera instance."""
        return self.chain.instances[instance].feldera

    def expect(
        self, receiver: str, alert: str, instance: str, pipeline: str, status: str
    ) -> Callable[[], bool]:
        """Expect a change, and return a condition that holds once it was notified."""
        wanted = AlertChange(receiver, alert, instance, pipeline, status)
        self.expected.append(wanted)
        return lambda: wanted in self.chain.record.changes

    def reached(self, instance: str, pipeline: str, status: str) -> Callable[[], bool]:
        """Return a condition that holds while a pipeline is in a status at Feldera."""
        return lambda: self.feldera(instance).get(pipeline).row.status == status


PipelineAction = Callable[[Feldera, str], None]


@dataclass(frozen=True)
class StuckPipeline:
    """A pipeline that stays in a status for longer than it may.

    Attributes:
        alert: its name.
        receiver: which receiver is notified.
        plan: how the world treats it.
        before: what it must be before anything is done, the statuses in turn with what is done then.
        end: what ends it.
        tags: the pipeline's.
    """

    alert: str
    receiver: str
    end: PipelineAction
    plan: Plan = INSTANT
    before: tuple[tuple[str, PipelineAction], ...] = ()
    tags: tuple[str, ...] = ()

    def scenario(self, state: ScenarioState, status: str) -> Scenario:
        """Let the pipeline get stuck, be notified once although programs are killed, and recover."""
        feldera, name = state.feldera("stuck"), pipeline_of(status)
        feldera.create(name, self.tags, plan=self.plan, runtime_config=PATIENT)
        feldera.start(name)
        for wanted, action in self.before:
            yield state.reached("stuck", name, wanted)
            action(feldera, name)
        yield state.expect(self.receiver, self.alert, "stuck", name, "firing")
        state.open -= 1
        yield lambda: state.evaluator_back
        self.end(feldera, name)
        yield state.expect(self.receiver, self.alert, "stuck", name, "resolved")


def pipeline_of(status: str) -> str:
    """Return the name of the pipeline that gets stuck in a status."""
    return f"in-{status.lower()}"


def _stop(feldera: Feldera, name: str) -> None:
    feldera.stop(name, force=True)


def _clear(feldera: Feldera, name: str) -> None:
    feldera.clear(name)


def _lose(feldera: Feldera, name: str) -> None:
    feldera.inject.lose(name)


def _replanned(**plan: float) -> PipelineAction:
    return lambda feldera, name: feldera.replan(name, **plan)


STUCK: Final[Mapping[str, StuckPipeline]] = {
    "Provisioning": StuckPipeline(
        "FelderaPipelineStuckProvisioning",
        "pager",
        _replanned(provisioning=0.0),
        replace(INSTANT, provisioning=None),
    ),
    "Initializing": StuckPipeline(
        "FelderaPipelineStuckInitializing",
        "tickets",
        _replanned(initializing=0.0),
        replace(INSTANT, initializing=None),
    ),
    "Stopping": StuckPipeline(
        "FelderaPipelineStuckStopping",
        "tickets",
        _replanned(stopping=0.0),
        replace(INSTANT, stopping=None),
        (("Running", _stop),),
    ),
    "Clearing": StuckPipeline(
        "FelderaPipelineStorageClearingStuck",
        "tickets",
        _replanned(clearing=0.0),
        replace(INSTANT, clearing=None),
        (("Running", _stop), ("Stopped", _clear)),
    ),
    "AwaitingApproval": StuckPipeline(
        "FelderaPipelineAwaitingApproval",
        "example-team/tickets",
        lambda feldera, name: feldera.approve(name),
        replace(INSTANT, path=(Phase("AwaitingApproval", None),)),
        tags=("team:example-team",),
    ),
    "Unavailable": StuckPipeline(
        "FelderaPipelineUnavailable",
        "example-team/pager",
        lambda feldera, name: feldera.inject.find(name),
        before=(("Running", _lose),),
        tags=("team:example-team",),
    ),
}
"""Pipelines by the status that they are stuck in."""

LIMITS: Final[Mapping[str, Mapping[str, str]]] = {
    **{pipeline_of(status): {status: LIMIT} for status in STUCK},
    "patient": {"Provisioning": LIMIT},
}
"""The limits of pipelines by name; all others have the default ones."""

ERROR: Final = "FelderaPipelineDeploymentError"
PROVISIONING: Final = "FelderaPipelineStuckProvisioning"
UNREACHABLE: Final = "FelderaApiUnreachable"


def _running(state: ScenarioState, instance: str, name: str, *tags: str) -> Scenario:
    """Bring a pipeline up, and let every exporter see it."""
    feldera = state.feldera(instance)
    feldera.create(name, tags)
    feldera.start(name)
    yield lambda: all(
        state.chain.shows(replica, instance, name, "Running") for replica in state.chain.exporters
    )


def _failing(state: ScenarioState, instance: str) -> Scenario:
    """Let a pipeline fail, and wait for the notification."""
    yield from _running(state, instance, "failing")
    state.feldera(instance).inject.crash("failing")
    yield state.expect("pager", ERROR, instance, "failing", "firing")
    yield state.reached(instance, "failing", "Stopped")


def _cleared(state: ScenarioState, instance: str) -> Scenario:
    feldera = state.feldera(instance)
    feldera.clear("failing")
    yield lambda: feldera.get("failing").row.storage_status == "Cleared"


def _provisioning(state: ScenarioState, instance: str) -> None:
    feldera = state.feldera(instance)
    feldera.create("patient", plan=replace(INSTANT, provisioning=None), runtime_config=PATIENT)
    feldera.start("patient")


def error(state: ScenarioState) -> Scenario:
    """A pipeline fails, through whatever is killed meanwhile, and is started again."""
    yield from _failing(state, "error")
    state.open -= 1
    yield lambda: state.evaluator_back
    state.feldera("error").start("failing")
    yield state.expect("pager", ERROR, "error", "failing", "resolved")


def dismissed(state: ScenarioState) -> Scenario:
    """A pipeline fails, and its error is dismissed while Alertmanager is away."""
    yield from _failing(state, "dismissed")
    state.open -= 1
    yield lambda: state.alertmanager_away
    state.feldera("dismissed").dismiss_error("failing")
    problem = ERROR.removeprefix("FelderaPipeline")
    yield lambda: all(
        state.chain.problem(replica, "dismissed", "failing", problem) == "0"
        for replica in state.chain.exporters
    )
    state.ended_meanwhile = True
    yield state.expect("pager", ERROR, "dismissed", "failing", "resolved")
    state.notified_later = True


def renamed(state: ScenarioState) -> Scenario:
    """A pipeline that failed is renamed: it is notified under its new name."""
    yield from _failing(state, "renamed")
    yield from _cleared(state, "renamed")
    state.feldera("renamed").rename("failing", "new-name")
    yield state.expect("pager", ERROR, "renamed", "new-name", "firing")
    yield state.expect("pager", ERROR, "renamed", "failing", "resolved")
    state.feldera("renamed").dismiss_error("new-name")
    yield state.expect("pager", ERROR, "renamed", "new-name", "resolved")


def deleted(state: ScenarioState) -> Scenario:
    """A pipeline that failed is deleted: it is over."""
    yield from _failing(state, "deleted")
    yield from _cleared(state, "deleted")
    state.feldera("deleted").delete("failing")
    yield state.expect("pager", ERROR, "deleted", "failing", "resolved")


def tagged(state: ScenarioState) -> Scenario:
    """A pipeline that failed gets another team: that team is notified, and for the others it is resolved."""
    yield from _failing(state, "tagged")
    state.feldera("tagged").patch_metadata("failing", tags=("team:example-team",))
    yield state.expect("example-team/pager", ERROR, "tagged", "failing", "firing")
    yield state.expect("pager", ERROR, "tagged", "failing", "resolved")
    state.feldera("tagged").dismiss_error("failing")
    yield state.expect("example-team/pager", ERROR, "tagged", "failing", "resolved")


def outage(state: ScenarioState) -> Scenario:
    """The API fails and recovers while a pipeline is stuck: the alert is neither resolved nor notified again.

    It lasts until the pipeline itself is no longer shown, and the exporters, Alertmanager and what evaluates the rules have
    started again: an outage of any length is the same.
    """
    served = state.chain.instances["outage"]
    _provisioning(state, "outage")
    yield state.expect("pager", PROVISIONING, "outage", "patient", "firing")
    served.close()
    yield state.expect("pager", UNREACHABLE, "outage", "", "firing")
    state.open -= 1
    # Otherwise the end would not be notified before Alertmanager itself resolves it, minutes later.
    yield lambda: state.evaluator_back and state.chain.firing(UNREACHABLE, "outage")
    for replica in state.chain.exporters:
        assert not state.chain.shows(replica, "outage", "patient", "Provisioning")
        assert state.chain.problem(replica, "outage", "patient", "StuckProvisioning") > "1"
    served.open()
    for exporter in state.chain.exporters.values():
        # It would poll again within a minute: after so many failures it polls rarely.
        exporter.kill()
        exporter.start()
    yield state.expect("pager", UNREACHABLE, "outage", "", "resolved")
    served.feldera.replan("patient", provisioning=0.0)
    yield state.expect("pager", PROVISIONING, "outage", "patient", "resolved")


def replicas(state: ScenarioState) -> Scenario:
    """One exporter is cut off, then the other: what the remaining one sees is notified once."""
    served, shows = state.chain.instances["replicas"], partial(state.chain.shows, instance="replicas")
    yield from _running(state, "replicas", "calm")
    served.close("b")
    _provisioning(state, "replicas")
    yield state.expect("pager", PROVISIONING, "replicas", "patient", "firing")
    assert not shows("b", pipeline="patient", status="Provisioning")
    served.open()
    yield lambda: shows("b", pipeline="patient", status="Provisioning")
    served.close("a")
    served.feldera.replan("patient", provisioning=0.0)
    yield state.expect("pager", PROVISIONING, "replicas", "patient", "resolved")
    assert state.chain.problem("a", "replicas", "patient", "StuckProvisioning") > "1"
    state.open -= 1
    yield lambda: state.exporters_back
    served.open()


def hanging(state: ScenarioState) -> Scenario:
    """One of two exporters hangs: a problem that begins meanwhile is notified once, also when the exporter goes on."""
    exporter = state.chain.exporters["b"]
    exporter.freeze()
    feldera = state.feldera("hanging")
    feldera.create("failing")
    feldera.start("failing")
    yield lambda: state.chain.shows("a", "hanging", "failing", "Running")
    feldera.inject.crash("failing")
    yield state.expect("pager", ERROR, "hanging", "failing", "firing")
    exporter.thaw()
    yield lambda: state.chain.shows("b", "hanging", "failing", "Stopped")
    feldera.dismiss_error("failing")
    yield state.expect("pager", ERROR, "hanging", "failing", "resolved")


FLEET: Final = tuple(f"member-{number}" for number in range(5))


def fleet(state: ScenarioState) -> Scenario:
    """Many pipelines of tier `dev` fail at once: one page about the fleet, and a ticket that lists them."""
    served = state.chain.instances["fleet"]
    for name in FLEET:
        yield from _running(state, "fleet", name, "tier:dev")
    # While the API is closed, so that an exporter sees all of it at once when it polls again.
    served.close()
    for name in FLEET:
        served.feldera.inject.crash(name)
    yield lambda: all(state.reached("fleet", name, "Stopped")() for name in FLEET)
    served.open()
    firing = [state.expect("tickets", ERROR, "fleet", name, "firing") for name in FLEET]
    firing.append(state.expect("pager", "FelderaFleetDegraded", "fleet", "", "firing"))
    yield lambda: all(each() for each in firing)
    served.close()
    for name in FLEET:
        served.feldera.dismiss_error(name)
    served.open()
    over = [state.expect("tickets", ERROR, "fleet", name, "resolved") for name in FLEET]
    over.append(state.expect("pager", "FelderaFleetDegraded", "fleet", "", "resolved"))
    yield lambda: all(each() for each in over)


def quiet(state: ScenarioState) -> Scenario:
    """Users stop, pause, edit badly and delete pipelines: nothing is notified."""
    feldera = state.feldera("quiet")
    for name in ("stopped", "paused", "edited", "deleted"):
        yield from _running(state, "quiet", name)
    feldera.pause("paused")
    for name in ("stopped", "edited", "deleted"):
        _stop(feldera, name)
    yield state.reached("quiet", "edited", "Stopped")
    feldera.edit("edited", plan=replace(INSTANT, compiled_as="SqlError"))
    yield state.reached("quiet", "deleted", "Stopped")
    feldera.clear("deleted")
    yield lambda: feldera.get("deleted").row.storage_status == "Cleared"
    feldera.delete("deleted")


def watchdog(state: ScenarioState) -> Scenario:
    """The watchdog notifies from the start that alerting works."""
    yield state.expect("deadman", "FelderaWatchdog", "", "", "firing")


LASTING: Final = (error, dismissed, outage, replicas)
"""Scenarios that are in the middle when the exporters are killed, and all but `replicas` when others are."""

PASSING: Final = (renamed, deleted, tagged, fleet, quiet, watchdog)
"""Scenarios that are over before Alertmanager is stopped."""

INSTANCES: Final = (
    "stuck",
    "hanging",
    *(scenario.__name__ for scenario in (*LASTING, *PASSING) if scenario is not watchdog),
)
"""The instances: one for each kind of scenario."""


def scenarios(state: ScenarioState) -> Iterator[Scenario]:
    """Yield all scenarios but that of an exporter that hangs, begun at once."""
    state.open = len(LASTING) + len(STUCK)
    yield from (stuck.scenario(state, status) for status, stuck in STUCK.items())
    yield from (scenario(state) for scenario in LASTING)
    state.passing = len(PASSING)
    yield from (_passing(state, scenario) for scenario in PASSING)


def _passing(state: ScenarioState, scenario: Callable[[ScenarioState], Scenario]) -> Scenario:
    yield from scenario(state)
    state.passing -= 1
