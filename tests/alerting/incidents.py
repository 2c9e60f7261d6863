"""What happens to the pipelines, and who must be told of it: one scenario for each kind of incident."""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from alerting.chain import Chain
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.plan import INSTANT, Phase, Plan
from support.notifications import News

Scenario = Generator[Callable[[], object]]
"""Does something and yields what it then waits for, again and again."""

LIMIT: Final = "3s"
"""How long the stuck ones may last."""

PATIENT: Final = {"provisioning_timeout_secs": 10**6}
"""A configuration by which the runner itself does not give up provisioning."""


@dataclass
class Stage:
    """What the scenarios share.

    Attributes:
        chain: what runs.
        expected: what the scenarios told to be expected so far.
        open: scenarios that have not yet come to the point where their trouble lasts.
        passing: scenarios that nothing waits for and that are not over.
        exporters_back: whether the exporters have been killed and are back.
        alertmanager_away: whether Alertmanager has been stopped.
        ended_meanwhile: whether a trouble has ended since.
        told_later: whether somebody was told of that.
        evaluator_back: whether what evaluates the rules has been killed and is back.
    """

    chain: Chain
    expected: list[News] = field(default_factory=list)
    open: int = 0
    passing: int = 0
    exporters_back: bool = False
    alertmanager_away: bool = False
    ended_meanwhile: bool = False
    told_later: bool = False
    evaluator_back: bool = False

    def feldera(self, instance: str) -> Feldera:
        """Return a Feldera instance."""
        return self.chain.places[instance].feldera

    def news(
        self, receiver: str, alert: str, instance: str, pipeline: str, status: str
    ) -> Callable[[], bool]:
        """Expect some news, and return what tells whether they have come."""
        wanted = News(receiver, alert, instance, pipeline, status)
        self.expected.append(wanted)
        return lambda: wanted in self.chain.notebook.news

    def reached(self, instance: str, pipeline: str, status: str) -> Callable[[], bool]:
        """Return what tells whether a pipeline is in a status at Feldera."""
        return lambda: self.feldera(instance).get(pipeline).row.status == status


Act = Callable[[Feldera, str], None]


@dataclass(frozen=True)
class Stuck:
    """A pipeline that stays in a status for longer than it may.

    Attributes:
        alert: who tells of it.
        receiver: who is told.
        plan: how the world treats it.
        before: what it must be before anything is done, the statuses in turn with what is done then.
        end: what ends it.
        tags: the pipeline's.
    """

    alert: str
    receiver: str
    end: Act
    plan: Plan = INSTANT
    before: tuple[tuple[str, Act], ...] = ()
    tags: tuple[str, ...] = ()

    def scenario(self, stage: Stage, status: str) -> Scenario:
        """Get stuck, be told of once, survive whatever is killed meanwhile, and be over."""
        feldera, name = stage.feldera("stuck"), pipeline_of(status)
        feldera.create(name, self.tags, plan=self.plan, runtime_config=PATIENT)
        feldera.start(name)
        for wanted, act in self.before:
            yield stage.reached("stuck", name, wanted)
            act(feldera, name)
        yield stage.news(self.receiver, self.alert, "stuck", name, "firing")
        stage.open -= 1
        yield lambda: stage.evaluator_back
        self.end(feldera, name)
        yield stage.news(self.receiver, self.alert, "stuck", name, "resolved")


def pipeline_of(status: str) -> str:
    """Return the name of the pipeline that gets stuck in a status."""
    return f"in-{status.lower()}"


def _stop(feldera: Feldera, name: str) -> None:
    feldera.stop(name, force=True)


def _clear(feldera: Feldera, name: str) -> None:
    feldera.clear(name)


def _lose(feldera: Feldera, name: str) -> None:
    feldera.inject.lose(name)


def _replanned(**plan: float) -> Act:
    return lambda feldera, name: feldera.replan(name, **plan)


STUCK: Final[Mapping[str, Stuck]] = {
    "Provisioning": Stuck(
        "FelderaPipelineStuckProvisioning",
        "pager",
        _replanned(provisioning=0.0),
        replace(INSTANT, provisioning=None),
    ),
    "Initializing": Stuck(
        "FelderaPipelineStuckInitializing",
        "tickets",
        _replanned(initializing=0.0),
        replace(INSTANT, initializing=None),
    ),
    "Stopping": Stuck(
        "FelderaPipelineStuckStopping",
        "tickets",
        _replanned(stopping=0.0),
        replace(INSTANT, stopping=None),
        (("Running", _stop),),
    ),
    "Clearing": Stuck(
        "FelderaPipelineStorageClearingStuck",
        "tickets",
        _replanned(clearing=0.0),
        replace(INSTANT, clearing=None),
        (("Running", _stop), ("Stopped", _clear)),
    ),
    "AwaitingApproval": Stuck(
        "FelderaPipelineAwaitingApproval",
        "example-team/tickets",
        lambda feldera, name: feldera.approve(name),
        replace(INSTANT, path=(Phase("AwaitingApproval", None),)),
        tags=("team:example-team",),
    ),
    "Unavailable": Stuck(
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


def _running(stage: Stage, instance: str, name: str, *tags: str) -> Scenario:
    """Bring a pipeline up, and let every exporter see it."""
    feldera = stage.feldera(instance)
    feldera.create(name, tags)
    feldera.start(name)
    yield lambda: all(
        stage.chain.shows(replica, instance, name, "Running") for replica in stage.chain.exporters
    )


def _failing(stage: Stage, instance: str) -> Scenario:
    """Let a pipeline fail, and be told of it."""
    yield from _running(stage, instance, "failing")
    stage.feldera(instance).inject.crash("failing")
    yield stage.news("pager", ERROR, instance, "failing", "firing")
    yield stage.reached(instance, "failing", "Stopped")


def _cleared(stage: Stage, instance: str) -> Scenario:
    feldera = stage.feldera(instance)
    feldera.clear("failing")
    yield lambda: feldera.get("failing").row.storage_status == "Cleared"


def _provisioning(stage: Stage, instance: str) -> None:
    feldera = stage.feldera(instance)
    feldera.create("patient", plan=replace(INSTANT, provisioning=None), runtime_config=PATIENT)
    feldera.start("patient")


def error(stage: Stage) -> Scenario:
    """A pipeline fails, through whatever is killed meanwhile, and is started again."""
    yield from _failing(stage, "error")
    stage.open -= 1
    yield lambda: stage.evaluator_back
    stage.feldera("error").start("failing")
    yield stage.news("pager", ERROR, "error", "failing", "resolved")


def dismissed(stage: Stage) -> Scenario:
    """A pipeline fails, and somebody dismisses the error while Alertmanager is away."""
    yield from _failing(stage, "dismissed")
    stage.open -= 1
    yield lambda: stage.alertmanager_away
    stage.feldera("dismissed").dismiss_error("failing")
    problem = ERROR.removeprefix("FelderaPipeline")
    yield lambda: all(
        stage.chain.problem(replica, "dismissed", "failing", problem) == "0"
        for replica in stage.chain.exporters
    )
    stage.ended_meanwhile = True
    yield stage.news("pager", ERROR, "dismissed", "failing", "resolved")
    stage.told_later = True


def renamed(stage: Stage) -> Scenario:
    """A pipeline that failed is renamed: it is told of under its new name."""
    yield from _failing(stage, "renamed")
    yield from _cleared(stage, "renamed")
    stage.feldera("renamed").rename("failing", "mended")
    yield stage.news("pager", ERROR, "renamed", "mended", "firing")
    yield stage.news("pager", ERROR, "renamed", "failing", "resolved")
    stage.feldera("renamed").dismiss_error("mended")
    yield stage.news("pager", ERROR, "renamed", "mended", "resolved")


def deleted(stage: Stage) -> Scenario:
    """A pipeline that failed is deleted: it is over."""
    yield from _failing(stage, "deleted")
    yield from _cleared(stage, "deleted")
    stage.feldera("deleted").delete("failing")
    yield stage.news("pager", ERROR, "deleted", "failing", "resolved")


def tagged(stage: Stage) -> Scenario:
    """A pipeline that failed gets another team: that team is told, and for the others it is over."""
    yield from _failing(stage, "tagged")
    stage.feldera("tagged").patch_metadata("failing", tags=("team:example-team",))
    yield stage.news("example-team/pager", ERROR, "tagged", "failing", "firing")
    yield stage.news("pager", ERROR, "tagged", "failing", "resolved")
    stage.feldera("tagged").dismiss_error("failing")
    yield stage.news("example-team/pager", ERROR, "tagged", "failing", "resolved")


def outage(stage: Stage) -> Scenario:
    """The API goes down and comes back while a pipeline is stuck: the pipeline is neither resolved nor told again.

    It lasts until the pipeline itself is no longer shown, and the exporters, Alertmanager and what evaluates the rules have
    started again: an outage of any length is the same.
    """
    place = stage.chain.places["outage"]
    _provisioning(stage, "outage")
    yield stage.news("pager", PROVISIONING, "outage", "patient", "firing")
    place.close()
    yield stage.news("pager", UNREACHABLE, "outage", "", "firing")
    stage.open -= 1
    # Else nobody would say that it has ended, but Alertmanager itself minutes later.
    yield lambda: stage.evaluator_back and stage.chain.firing(UNREACHABLE, "outage")
    for replica in stage.chain.exporters:
        assert not stage.chain.shows(replica, "outage", "patient", "Provisioning")
        assert stage.chain.problem(replica, "outage", "patient", "StuckProvisioning") > "1"
    place.open()
    for exporter in stage.chain.exporters.values():
        exporter.reload()  # else it looks again within a minute: after so many failures it asks rarely
    yield stage.news("pager", UNREACHABLE, "outage", "", "resolved")
    place.feldera.replan("patient", provisioning=0.0)
    yield stage.news("pager", PROVISIONING, "outage", "patient", "resolved")


def replicas(stage: Stage) -> Scenario:
    """Of two exporters one is cut off, and then the other: what the seeing one sees is told, and told once."""
    place, shows = stage.chain.places["replicas"], partial(stage.chain.shows, instance="replicas")
    yield from _running(stage, "replicas", "calm")
    place.close("b")
    _provisioning(stage, "replicas")
    yield stage.news("pager", PROVISIONING, "replicas", "patient", "firing")
    assert not shows("b", pipeline="patient", status="Provisioning")
    place.open()
    yield lambda: shows("b", pipeline="patient", status="Provisioning")
    place.close("a")
    place.feldera.replan("patient", provisioning=0.0)
    yield stage.news("pager", PROVISIONING, "replicas", "patient", "resolved")
    assert stage.chain.problem("a", "replicas", "patient", "StuckProvisioning") > "1"
    stage.open -= 1
    yield lambda: stage.exporters_back
    place.open()


def hanging(stage: Stage) -> Scenario:
    """One of two exporters hangs: what begins meanwhile is told once, also when it goes on, and ends."""
    exporter = stage.chain.exporters["b"]
    exporter.freeze()
    feldera = stage.feldera("hanging")
    feldera.create("failing")
    feldera.start("failing")
    yield lambda: stage.chain.shows("a", "hanging", "failing", "Running")
    feldera.inject.crash("failing")
    yield stage.news("pager", ERROR, "hanging", "failing", "firing")
    exporter.thaw()
    yield lambda: stage.chain.shows("b", "hanging", "failing", "Stopped")
    feldera.dismiss_error("failing")
    yield stage.news("pager", ERROR, "hanging", "failing", "resolved")


FLEET: Final = tuple(f"member-{number}" for number in range(5))


def fleet(stage: Stage) -> Scenario:
    """Many pipelines of tier `dev` fail at once: one page about the fleet, and a ticket that lists them."""
    place = stage.chain.places["fleet"]
    for name in FLEET:
        yield from _running(stage, "fleet", name, "tier:dev")
    # Behind a closed door: whoever looks again sees all of it at once.
    place.close()
    for name in FLEET:
        place.feldera.inject.crash(name)
    yield lambda: all(stage.reached("fleet", name, "Stopped")() for name in FLEET)
    place.open()
    told = [stage.news("tickets", ERROR, "fleet", name, "firing") for name in FLEET]
    told.append(stage.news("pager", "FelderaFleetDegraded", "fleet", "", "firing"))
    yield lambda: all(each() for each in told)
    place.close()
    for name in FLEET:
        place.feldera.dismiss_error(name)
    place.open()
    over = [stage.news("tickets", ERROR, "fleet", name, "resolved") for name in FLEET]
    over.append(stage.news("pager", "FelderaFleetDegraded", "fleet", "", "resolved"))
    yield lambda: all(each() for each in over)


def quiet(stage: Stage) -> Scenario:
    """Users stop, pause, edit badly and delete: nobody is told."""
    feldera = stage.feldera("quiet")
    for name in ("stopped", "paused", "edited", "deleted"):
        yield from _running(stage, "quiet", name)
    feldera.pause("paused")
    for name in ("stopped", "edited", "deleted"):
        _stop(feldera, name)
    yield stage.reached("quiet", "edited", "Stopped")
    feldera.edit("edited", plan=replace(INSTANT, compiled_as="SqlError"))
    yield stage.reached("quiet", "deleted", "Stopped")
    feldera.clear("deleted")
    yield lambda: feldera.get("deleted").row.storage_status == "Cleared"
    feldera.delete("deleted")


def watchdog(stage: Stage) -> Scenario:
    """The watchdog tells from the start that alerting works."""
    yield stage.news("deadman", "FelderaWatchdog", "", "", "firing")


LASTING: Final = (error, dismissed, outage, replicas)
"""Scenarios that are in the middle when the exporters are killed, and all but `replicas` when others are."""

PASSING: Final = (renamed, deleted, tagged, fleet, quiet, watchdog)
"""Scenarios that are over before Alertmanager is stopped."""

PLACES: Final = (
    "stuck",
    "hanging",
    *(scenario.__name__ for scenario in (*LASTING, *PASSING) if scenario is not watchdog),
)
"""The instances: one for each kind of scenario."""


def scenarios(stage: Stage) -> Iterator[Scenario]:
    """Yield all scenarios but that of an exporter that hangs, begun at once."""
    stage.open = len(LASTING) + len(STUCK)
    yield from (stuck.scenario(stage, status) for status, stuck in STUCK.items())
    yield from (scenario(stage) for scenario in LASTING)
    stage.passing = len(PASSING)
    yield from (_passing(stage, scenario) for scenario in PASSING)


def _passing(stage: Stage, scenario: Callable[[Stage], Scenario]) -> Scenario:
    yield from scenario(stage)
    stage.passing -= 1
