"""About twenty pipelines with lives that one recognises, for a demo that is worth watching.

Each story is told once from the beginning of the world, and what repeats repeats by Feldera's clock; with a
`ScaledClock` of speed 60 a minute of watching is an hour of a fleet's life.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.plan import Failure, Phase, Plan
from feldera_exporter.simulator.refusals import ApiError

Tell = Callable[[Feldera, str], None]

MINUTE: Final = 60.0
HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Story:
    """One pipeline's life.

    Attributes:
        name: the pipeline's.
        plot: what happens, in a few words.
        tags: the pipeline's.
        plan: how the world treats it.
        runtime_config: its configuration, as far as it matters.
        tell: what its users and the world do; called once it exists; None: nothing.
    """

    name: str
    plot: str
    tags: tuple[str, ...] = ()
    plan: Plan = field(default_factory=Plan)
    tell: Tell | None = None
    runtime_config: Mapping[str, Any] = field(default_factory=dict)


def _trying(action: Callable[..., Any], *arguments: Any) -> None:
    """Do what a user would try; a refusal is part of the story."""
    with suppress(ApiError):
        action(*arguments)


def _every(feldera: Feldera, seconds: float, action: Callable[[], None], first: float | None = None) -> None:
    """Do something again and again."""

    def again() -> None:
        action()
        feldera.later(seconds, again)

    feldera.later(seconds if first is None else first, again)


def _starts(feldera: Feldera, name: str) -> None:
    feldera.later(40, _trying, feldera.start, name)


def _crashes(code: str, every: float) -> Tell:
    """Crash now and then; somebody starts it again ten minutes later."""

    def tell(feldera: Feldera, name: str) -> None:
        _starts(feldera, name)
        failure = Failure(code, f"The pipeline failed with {code}.", {"worker": 3})

        def crash() -> None:
            feldera.world.crash(name, failure)
            feldera.later(10 * MINUTE, _trying, feldera.start, name)

        _every(feldera, every, crash)

    return tell


def _crash_loops(feldera: Feldera, name: str) -> None:
    _starts(feldera, name)
    feldera.later(5 * MINUTE, feldera.world.crash_loop, name, 45.0, 25.0)


def _flaps(feldera: Feldera, name: str) -> None:
    _starts(feldera, name)
    _every(feldera, 90.0, lambda: feldera.world.lose(name, 20.0), first=3 * MINUTE)


def _is_lost(feldera: Feldera, name: str) -> None:
    _starts(feldera, name)
    _every(feldera, 2 * HOUR, lambda: feldera.world.lose(name, 20 * MINUTE), first=8 * MINUTE)


def _is_paused(feldera: Feldera, name: str) -> None:
    _starts(feldera, name)
    feldera.later(4 * MINUTE, _trying, feldera.pause, name)


def _works_by_night(feldera: Feldera, name: str) -> None:
    """Run for 25 minutes of each hour, then stop and keep the storage."""
    _every(feldera, HOUR, lambda: _trying(feldera.start, name), first=MINUTE)
    _every(feldera, HOUR, lambda: _trying(feldera.stop, name), first=26 * MINUTE)


def _is_stopped(feldera: Feldera, name: str) -> None:
    _starts(feldera, name)
    feldera.later(6 * MINUTE, _trying, partial(feldera.stop, force=True), name)


def _errs(feldera: Feldera, name: str) -> None:
    _starts(feldera, name)
    feldera.later(2 * MINUTE, feldera.world.connector_errors, name, 12, 0.4)


def _is_approved(feldera: Feldera, name: str) -> None:
    """Be restarted with a changed program every two hours; a person approves after half an hour."""
    _starts(feldera, name)
    _every(feldera, 30 * MINUTE, lambda: _trying(feldera.approve, name))

    def change() -> None:
        _trying(partial(feldera.stop, force=True), name)
        feldera.later(30, _trying, feldera.edit, name)
        feldera.later(40, _trying, feldera.start, name)

    _every(feldera, 2 * HOUR, change)


def _clears(feldera: Feldera, name: str) -> None:
    _starts(feldera, name)
    feldera.later(3 * MINUTE, _trying, partial(feldera.stop, force=True), name)
    feldera.later(4 * MINUTE, _trying, feldera.clear, name)


def _cannot_stop(feldera: Feldera, name: str) -> None:
    _starts(feldera, name)
    feldera.later(4 * MINUTE, _trying, partial(feldera.stop, force=True), name)


def _freezes(feldera: Feldera, name: str) -> None:
    _starts(feldera, name)
    feldera.later(10 * MINUTE, feldera.world.freeze, name)


def _comes_and_goes(feldera: Feldera, name: str) -> None:
    """Be deleted and created anew under the same name, each half hour."""

    def renew() -> None:
        _trying(feldera.delete, name)
        feldera.later(MINUTE, _trying, feldera.create, name, ("team:qa",))

    _every(feldera, 30 * MINUTE, renew)


STORIES: Final = (
    Story("orders", "healthy", ("team:shop", "tier:1", "expect:running"), tell=_starts),
    Story("payments", "healthy", ("team:shop", "tier:1", "expect:running"), Plan(checkpoint_every=60.0), _starts),
    Story("inventory", "healthy", ("team:shop", "tier:2"), tell=_starts),
    Story("clickstream", "healthy, with connector errors", ("team:web", "tier:2"), tell=_errs),
    Story("fraud-scores", "fails with a panic each hour", ("team:risk", "tier:1"), Plan(), _crashes("RuntimeError.WorkerPanic", HOUR)),
    Story("ledger", "fails to read its input", ("team:risk",), Plan(), _crashes("InputTransportError", 3 * HOUR)),
    Story("big-join", "stuck in Provisioning", ("team:data",), Plan(provisioning=None), _starts, {"provisioning_timeout_secs": 10**6}),
    Story("no-capacity", "times out in Provisioning", ("team:data",), Plan(provisioning=None), _starts),
    Story("schema-change", "awaits approval", ("team:data", "tier:2"), Plan(path=(Phase("AwaitingApproval", None), Phase("Bootstrapping", 15 * MINUTE))), _is_approved),
    Story("new-report", "does not compile", ("team:bi",), Plan(compiled_as="SqlError")),
    Story("udf-model", "its UDF does not compile, started early", ("team:ml",), Plan(compiling_rust=300.0, compiled_as="RustError"), _starts),
    Story("huge-program", "compiling for ever", ("team:ml",), Plan(compiled_as="Killed", compiling_rust=240.0), _starts),
    Story("sensors", "flapping between Running and Unavailable", ("team:iot", "tier:2"), tell=_flaps),
    Story("edge-events", "its pod is restarted again and again", ("team:iot",), Plan(initializing=15.0), _crash_loops),
    Story("sessions", "lost for 20 minutes now and then", ("team:web", "tier:1", "expect:running"), tell=_is_lost),
    Story("backfill-2025", "bootstrapping for hours", ("team:data",), Plan(path=(Phase("Bootstrapping", 9 * HOUR),)), _starts),
    Story("recommendations", "paused by its user", ("team:ml",), tell=_is_paused),
    Story("nightly-report", "runs for a part of each hour", ("team:bi",), tell=_works_by_night),
    Story("warehouse-sync", "stopped, though expected to run", ("team:bi", "expect:running"), tell=_is_stopped),
    Story("old-archive", "its storage cannot be cleared", ("team:data",), Plan(clearing=None), _clears),
    Story("old-stream", "cannot be stopped", ("team:iot",), Plan(stopping=None), _cannot_stop),
    Story("metrics-rollup", "its runner is frozen", ("team:ops",), tell=_freezes),
    Story("ci-smoke", "deleted and created again", ("team:qa",), tell=_comes_and_goes),
)  # fmt: skip


def begin(feldera: Feldera, story: Story) -> None:
    """Create a story's pipeline on an instance and begin its life."""
    feldera.create(
        story.name,
        story.tags,
        description=story.plot,
        plan=story.plan,
        runtime_config=story.runtime_config,
    )
    if story.tell is not None:
        story.tell(feldera, story.name)


def tell_all(feldera: Feldera) -> None:
    """Begin all stories at once."""
    for story in STORIES:
        begin(feldera, story)
