"""Pipelines, fleets and examples for the tests of problems; instants in seconds after an arbitrary epoch."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any, Final

import msgspec

from feldera_exporter.config import Configuration, Instance, Limits
from feldera_exporter.feldera.platform import Platform
from feldera_exporter.feldera.statuses import DEFAULT_LIMITS
from feldera_exporter.feldera.wire import Progress, Row
from feldera_exporter.history.initial import initial_history
from feldera_exporter.history.recent_activity import RecentActivity
from feldera_exporter.problems.evaluate import NO_PROBLEMS, Problems, evaluate
from feldera_exporter.state.fleet import Fleet
from feldera_exporter.state.instance_settings import InstanceSettings
from feldera_exporter.state.pipeline import Pipeline
from feldera_exporter.state.runner_activity import Activity
from support.history_examples import instant, text

MICROSECOND: Final = 1e-6
MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86_400
LONG_AGO: Final = -30 * DAY

_INSTANCE: Final = Instance("prod", "http://feldera.invalid")


def instants(*seconds: float) -> tuple[int, ...]:
    """Return instants in microseconds."""
    return tuple(map(instant, seconds))


def spans(*seconds: tuple[float, float]) -> tuple[tuple[int, int], ...]:
    """Return spans of time in microseconds."""
    return tuple((instant(since), instant(until)) for since, until in seconds)


def activity(
    since: float = LONG_AGO, refreshed: float | None = None, errors: Iterable[tuple[float, int]] = ()
) -> Activity:
    """Return what moved of a pipeline: when it was first seen and refreshed, and how many errors appeared when."""
    refreshed_at = since if refreshed is None else refreshed
    return Activity(instant(since), instant(refreshed_at), tuple((instant(at), n) for at, n in errors))


def pipeline(
    name: str = "etl",
    *,
    identity: str = "",
    status: str = "Running",
    since: float = LONG_AGO,
    desired: str = "Running",
    desired_since: float = LONG_AGO,
    program: str = "Success",
    program_since: float = LONG_AGO,
    storage: str = "InUse",
    storage_since: float | None = LONG_AGO,
    error: str | None = None,
    error_at: float | None = None,
    away_since: float | None = None,
    tags: tuple[str, ...] = ("team:data",),
    limits: Mapping[str, float] = MappingProxyType({}),
    recent: RecentActivity | None = None,
    progress: Progress | None = None,
    moved: Activity | None = None,
) -> Pipeline:
    """Return a pipeline that has been running well for long, but for what is named.

    Args:
        name: its name.
        identity: its id; by default it follows from the name.
        status: the combined status, since `since`.
        since: see `status`.
        desired: the combined desired status, since `desired_since`.
        desired_since: see `desired`.
        program: its program's status, since `program_since`.
        program_since: see `program`.
        storage: its storage's status, since `storage_since`; None where the log has not been read that far.
        storage_since: see `storage`.
        error: the code of its deployment error.
        error_at: when the log says that the error appeared; None where it was not read yet.
        away_since: since when it is Unavailable by the log; None where the log does not have it.
        tags: as Feldera lists them.
        limits: other limits than usual, in seconds.
        recent: what it did within the last hour.
        progress: what moves while nothing happens.
        moved: and what of that moved when.
    """
    resources = status if status in {"Stopped", "Provisioning", "Stopping"} else "Provisioned"
    runtime = status if resources == "Provisioned" else None
    wanted = "Stopped" if desired == "Stopped" else "Provisioned"
    values: dict[str, Any] = {
        "id": identity or f"id-of-{name}",
        "name": name,
        "created_at": text(LONG_AGO),
        "tags": tags,
        "program_status": program,
        "program_status_since": text(program_since),
        "storage_status": storage,
        "deployment_status": status,
        "deployment_status_since": text(since),
        "deployment_desired_status": desired,
        "deployment_desired_status_since": text(desired_since),
        "deployment_resources_status": resources,
        "deployment_resources_status_since": text(since),
        "deployment_resources_desired_status": wanted,
        "deployment_resources_desired_status_since": text(desired_since),
        "deployment_runtime_status": runtime,
        "deployment_runtime_status_since": text(since) if runtime else None,
        "deployment_error": {"error_code": error} if error else None,
    }
    row = msgspec.convert(values, Row)
    history = initial_history(row, instant(LONG_AGO), instant(LONG_AGO))
    known = storage_since is not None
    history = msgspec.structs.replace(
        history,
        since=msgspec.structs.replace(
            history.since, storage=instant(storage_since) if storage_since is not None else instant(LONG_AGO)
        ),
        statuses=history.statuses if known else msgspec.structs.replace(history.statuses, storage="another"),
        errors=msgspec.structs.replace(
            history.errors,
            present=error_at is not None,
            at=None if error_at is None else instant(error_at),
        ),
        status_time=history.status_time
        if away_since is None
        else msgspec.structs.replace(history.status_time, status="Unavailable", since=instant(away_since)),
        recent=recent or RecentActivity(),
    )
    return Pipeline(
        _policy(tuple(limits.items())).facts(row, error),
        progress or Progress(),
        history,
        moved or Activity(instant(LONG_AGO), instant(LONG_AGO)),
    )


@cache
def _policy(limits: tuple[tuple[str, float], ...]) -> InstanceSettings:
    return InstanceSettings(
        Configuration((_INSTANCE,), Limits({**DEFAULT_LIMITS, **dict(limits)})), _INSTANCE
    )


def fleet(
    *pipelines: Pipeline, size: int | None = None, platform: Platform | None = None, **fields: Any
) -> Fleet:
    """Return a fleet of these pipelines, and of so many that need not be looked at."""
    return Fleet(
        "prod",
        up=True,
        size=len(pipelines) if size is None else size,
        pipelines={each.facts.row.id: each for each in pipelines},
        platform=platform or Platform(),
        **fields,
    )


@dataclass(frozen=True)
class Example:
    """Lists of pipelines, and whether there is a problem after the last one.

    Attributes:
        problem: its name in the table.
        what: what the example shows.
        lists: the second of each list, and what it says.
        present: by label, since when it counts, in seconds; empty where there is no such problem.
        disabled: names of alerts that the configuration switches off.
    """

    problem: str
    what: str
    lists: tuple[tuple[float, Fleet], ...]
    present: Mapping[str, float] = field(default_factory=dict)
    disabled: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.problem}: {self.what}"

    @property
    def expected(self) -> dict[str, int]:
        """Since when it counts by label, in microseconds."""
        return {label: instant(since) for label, since in self.present.items()}

    def found(self, evaluate: Callable[..., Any] = evaluate, before: Any = NO_PROBLEMS) -> dict[str, int]:
        """Return since when the problem counts by label, as an evaluation says.

        Args:
            evaluate: the evaluation.
            before: the problems before the first list.
        """
        for second, known in self.lists:
            before = evaluate(before, known, self.disabled, instant(second))
        return {each.label: since for each, since in before.present.items() if each.problem == self.problem}


def example(
    problem: str, what: str, at: float, *pipelines: Pipeline, since: float | None = None, label: str = ""
) -> Example:
    """Return an example of one list; without `since` there is no such problem."""
    return Example(problem, what, ((at, fleet(*pipelines)),), {} if since is None else {label: since})


def begins(
    problem: str,
    what: str,
    at: float,
    subject: Pipeline | Fleet,
    label: str = "",
    since: float | None = None,
    earlier: tuple[tuple[float, Fleet], ...] = (),
) -> tuple[Example, ...]:
    """Return examples in which a problem begins at a second by time alone, and not a microsecond before.

    Args:
        problem: its name.
        what: what they show.
        at: the second.
        subject: of which there is one list.
        label: the problem's.
        since: the second since which it counts, if another.
        earlier: the lists before.
    """
    known = subject if isinstance(subject, Fleet) else fleet(subject)
    present = {label: at if since is None else since}
    before = (*earlier, (at - MICROSECOND, known))
    return (
        Example(problem, f"{what}, not yet", before),
        Example(problem, what, (*before, (at, known)), present),
    )


def ends(
    problem: str, what: str, at: float, subject: Pipeline | Fleet, since: float, label: str = ""
) -> tuple[Example, ...]:
    """Return examples in which a problem is there until a second, and by time alone no longer at it."""
    known = subject if isinstance(subject, Fleet) else fleet(subject)
    before = (at - MICROSECOND, known)
    return (
        Example(problem, f"{what}, still there", (before,), {label: since}),
        Example(problem, f"{what}, over", (before, (at, known))),
    )


def after(*lists: tuple[float, Fleet], disabled: frozenset[str] = frozenset()) -> Problems:
    """Return the problems after lists at seconds."""
    problems = NO_PROBLEMS
    for second, known in lists:
        problems = evaluate(problems, known, disabled, instant(second))
    return problems


def names(problems: Problems) -> list[str]:
    """Return the names of the present problems, sorted."""
    return sorted(each.problem for each in problems.present)
