"""The scenarios of the demo: about twenty pipelines, most of them with a typical problem.

Each scenario schedules its user operations and faults once, at its start; repetitions follow Feldera's clock. Some states
last for hours. Other scenarios repeat every few minutes what would take hours or days elsewhere, so that changes are seen
within two minutes. The clock runs at normal speed, so ages, alerts and times in status are real.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.plan import Failure, Phase, Plan

Schedule = Callable[[Feldera, str], None]
"""Schedules the user operations and faults of a pipeline, by its name."""

MINUTE: Final = 60.0
HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A pipeline, with its plan, user operations and faults.

    Attributes:
        runtime_config: the settings of its `runtime_config` that matter here.
        schedule: schedules its user operations and faults; called once it exists; None for none.
    """

    name: str
    plot: str
    tags: tuple[str, ...] = ()
    plan: Plan = field(default_factory=Plan)
    schedule: Schedule | None = None
    runtime_config: Mapping[str, Any] = field(default_factory=dict)


def _every(
    feldera: Feldera, seconds: float, action: Callable[[], object], first: float | None = None
) -> None:
    """Schedule an action every so many seconds, even if Feldera refuses it."""

    def again() -> None:
        feldera.later(seconds, again)
        action()

    feldera.later(seconds if first is None else first, again)


def _rounds(feldera: Feldera, seconds: float, *turns: tuple[float, Callable[[], object]]) -> None:
    """Schedule several actions every so many seconds, each with the seconds until its first time."""
    for first, action in turns:
        _every(feldera, seconds, action, first)


def _starts(feldera: Feldera, name: str) -> None:
    feldera.later(40, feldera.start, name)


def _fails(code: str) -> Failure:
    return Failure(code, f"The pipeline failed with {code}.", {"worker": 3})


def _crashes(feldera: Feldera, name: str) -> None:
    """Crash each hour; a user starts it again ten minutes later."""
    _starts(feldera, name)
    crash = partial(feldera.inject.crash, name, _fails("RuntimeError.WorkerPanic"))
    _rounds(feldera, HOUR, (HOUR, crash), (HOUR + 10 * MINUTE, partial(feldera.start, name)))


def _is_repaired(feldera: Feldera, name: str) -> None:
    """Fail every twelve minutes; a user reads the error, dismisses it and starts the pipeline again."""
    _starts(feldera, name)
    _rounds(
        feldera,
        12 * MINUTE,
        (12 * MINUTE, partial(feldera.inject.crash, name, _fails("InputTransportError"))),
        (12 * MINUTE + 45, partial(feldera.dismiss_error, name)),
        (13 * MINUTE, partial(feldera.start, name)),
    )


def _waits_for_a_node(feldera: Feldera, name: str) -> None:
    """Be started every four minutes, wait for its resources for longer than it should, get them, run and be stopped."""
    _rounds(
        feldera,
        4 * MINUTE,
        (40, partial(feldera.replan, name, provisioning=None)),
        (41, partial(feldera.start, name)),
        (106, partial(feldera.replan, name, provisioning=1.0)),
        (260, partial(feldera.stop, name, force=True)),
    )


def _crash_loops(feldera: Feldera, name: str) -> None:
    _starts(feldera, name)
    feldera.later(5 * MINUTE, feldera.inject.crash_loop, name, 45.0, 25.0)


def _flaps(feldera: Feldera, name: str) -> None:
    _starts(feldera, name)
    _every(feldera, 90.0, partial(feldera.inject.lose, name, 20.0), first=3 * MINUTE)


def _is_lost(feldera: Feldera, name: str) -> None:
    _starts(feldera, name)
    _every(feldera, 2 * HOUR, partial(feldera.inject.lose, name, 20 * MINUTE), first=8 * MINUTE)


def _is_paused(feldera: Feldera, name: str) -> None:
    _starts(feldera, name)
    feldera.later(4 * MINUTE, feldera.pause, name)


def _works_by_night(feldera: Feldera, name: str) -> None:
    """Run for most of five minutes, then stop after a last checkpoint, keep the storage and start again."""
    _rounds(feldera, 5 * MINUTE, (MINUTE, partial(feldera.start, name)), (330, partial(feldera.stop, name)))


def _is_stopped(feldera: Feldera, name: str) -> None:
    _starts(feldera, name)
    feldera.later(6 * MINUTE, partial(feldera.stop, force=True), name)


def _errs(feldera: Feldera, name: str) -> None:
    _starts(feldera, name)
    feldera.later(2 * MINUTE, feldera.inject.connector_errors, name, 12, 0.4)


def _is_approved(feldera: Feldera, name: str) -> None:
    """Be restarted with a changed program every two hours; a person approves after half an hour."""
    _starts(feldera, name)
    _every(feldera, 30 * MINUTE, partial(feldera.approve, name))
    _rounds(
        feldera,
        2 * HOUR,
        (2 * HOUR, partial(feldera.stop, name, force=True)),
        (2 * HOUR + 30, partial(feldera.edit, name)),
        (2 * HOUR + 40, partial(feldera.start, name)),
    )


def _clears(feldera: Feldera, name: str) -> None:
    _starts(feldera, name)
    feldera.later(3 * MINUTE, partial(feldera.stop, force=True), name)
    feldera.later(4 * MINUTE, feldera.clear, name)


def _cannot_stop(feldera: Feldera, name: str) -> None:
    _starts(feldera, name)
    feldera.later(4 * MINUTE, partial(feldera.stop, force=True), name)


def _freezes(feldera: Feldera, name: str) -> None:
    _starts(feldera, name)
    feldera.later(10 * MINUTE, feldera.inject.freeze, name)


def _comes_and_goes(feldera: Feldera, name: str) -> None:
    """Be tried, cleared and deleted, and created again under the same name, every two minutes."""
    _rounds(
        feldera,
        2 * MINUTE,
        (30, partial(feldera.start, name)),
        (60, partial(feldera.stop, name, force=True)),
        (75, partial(feldera.clear, name)),
        (90, partial(feldera.delete, name)),
        (120, partial(feldera.create, name, ("team:qa",))),
    )


SCENARIOS: Final = (
    Scenario("orders", "healthy", ("team:shop", "tier:1", "expect:running"), schedule=_starts),
    Scenario("payments", "healthy", ("team:shop", "tier:1", "expect:running"), Plan(checkpoint_every=60.0), _starts),
    Scenario("inventory", "healthy", ("team:shop", "tier:2"), schedule=_starts),
    Scenario("clickstream", "healthy, with connector errors", ("team:web", "tier:2"), schedule=_errs),
    Scenario("fraud-scores", "fails with a panic each hour", ("team:risk", "tier:1"), schedule=_crashes),
    Scenario("ledger", "fails to read its input, and is repaired", ("team:risk",), schedule=_is_repaired),
    Scenario("search-index", "waits for a node now and then", ("team:web", "tier:2"), Plan(), _waits_for_a_node, {"provisioning_timeout_secs": 600}),
    Scenario("big-join", "stuck in Provisioning", ("team:data",), Plan(provisioning=None), _starts, {"provisioning_timeout_secs": 10**6}),
    Scenario("no-capacity", "times out in Provisioning", ("team:data",), Plan(provisioning=None), _starts),
    Scenario("schema-change", "awaits approval", ("team:data", "tier:2"), Plan(path=(Phase("AwaitingApproval", None), Phase("Bootstrapping", 15 * MINUTE))), _is_approved),
    Scenario("new-report", "does not compile", ("team:bi",), Plan(compiled_as="SqlError")),
    Scenario("udf-model", "its UDF does not compile, started early", ("team:ml",), Plan(compiling_rust=300.0, compiled_as="RustError"), _starts),
    Scenario("huge-program", "compiling for ever", ("team:ml",), Plan(compiled_as="Killed", compiling_rust=240.0), _starts),
    Scenario("sensors", "flapping between Running and Unavailable", ("team:iot", "tier:2"), schedule=_flaps),
    Scenario("edge-events", "its pod is restarted again and again", ("team:iot",), Plan(initializing=15.0), _crash_loops),
    Scenario("sessions", "lost for 20 minutes now and then", ("team:web", "tier:1", "expect:running"), schedule=_is_lost),
    Scenario("backfill-2025", "bootstrapping for hours", ("team:data",), Plan(path=(Phase("Bootstrapping", 9 * HOUR),)), _starts),
    Scenario("recommendations", "paused by its user", ("team:ml",), schedule=_is_paused),
    Scenario("nightly-report", "runs for most of five minutes", ("team:bi",), schedule=_works_by_night),
    Scenario("warehouse-sync", "stopped, though expected to run", ("team:bi", "expect:running"), schedule=_is_stopped),
    Scenario("old-archive", "its storage cannot be cleared", ("team:data",), Plan(clearing=None), _clears),
    Scenario("old-stream", "cannot be stopped", ("team:iot",), Plan(stopping=None), _cannot_stop),
    Scenario("metrics-rollup", "its runner is frozen", ("team:ops",), schedule=_freezes),
    Scenario("ci-smoke", "deleted and created again, every two minutes", ("team:qa",), schedule=_comes_and_goes),
)  # fmt: skip


def begin(feldera: Feldera, scenario: Scenario) -> None:
    """Create a scenario's pipeline on an instance, and schedule its operations and faults."""
    feldera.create(
        scenario.name,
        scenario.tags,
        description=scenario.plot,
        plan=scenario.plan,
        program_config={"profile": "optimized"},
        runtime_config=scenario.runtime_config,
    )
    if scenario.schedule is not None:
        scenario.schedule(feldera, scenario.name)
