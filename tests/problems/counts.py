"""Examples of problems that count events: thresholds, windows, events that do not count."""

import math
from collections.abc import Callable
from typing import Final

from feldera_exporter.feldera.wire import Progress
from feldera_exporter.history.recent_activity import RecentActivity
from problems.examples import (
    DAY,
    HOUR,
    MICROSECOND,
    MINUTE,
    Example,
    activity,
    begins,
    ends,
    example,
    fleet,
    instants,
    pipeline,
    spans,
)

Kind = Callable[[tuple[int, ...]], RecentActivity]


def _counted(problem: str, kind: Kind, count: int, what: str, window: float = HOUR) -> tuple[Example, ...]:
    """Return the edges of a count: how often, and within what time."""

    def at(*seconds: float) -> RecentActivity:
        return kind(instants(*seconds))

    steps = tuple(float(number) for number in range(count))
    first, *between, last = steps
    apart = (first, *between, window)
    within = (first, *between, window - MICROSECOND)
    follow = (window + 1, *(window + 1 + each for each in steps))
    return (
        *begins(problem, f"{what}, {count} times", last, pipeline(recent=at(*steps))),
        *ends(
            problem,
            f"{what}, until the first is long ago",
            window,
            pipeline(recent=at(*steps)),
            since=last,
        ),
        example(problem, f"{what}, {count - 1} times", 1800, pipeline(recent=at(*steps[1:]))),
        example(problem, f"{what}, spread over its whole time", window, pipeline(recent=at(*apart))),
        example(
            problem,
            f"{what}, spread over almost its whole time",
            window - MICROSECOND,
            pipeline(recent=at(*within)),
            since=window - MICROSECOND,
        ),
        example(
            problem,
            f"{what}, more and more",
            window + 0.5,
            pipeline(recent=at(*steps, last + 0.4 * window)),
            since=last,
        ),
        example(
            problem,
            f"{what}, again just as it was over",
            window,
            pipeline(recent=at(*steps, window)),
            since=window,
        ),
        example(
            problem,
            f"{what}, again after it was over, and more",
            2 * window + 1.5,
            pipeline(recent=at(*steps, *follow, 1.4 * window)),
            since=follow[count - 1],
        ),
    )


LOOPS: Final[tuple[Example, ...]] = (
    *_counted("DeploymentError", lambda at: RecentActivity(errors=at), 2, "errors", 10 * MINUTE),
    *_counted("CrashLooping", lambda at: RecentActivity(errors=at), 3, "errors"),
    *_counted("CrashLooping", lambda at: RecentActivity(restarts=at), 3, "restarts"),
    *_counted("Flapping", lambda at: RecentActivity(stops=at), 6, "stops"),
    *_counted("RuntimeFlapping", lambda at: RecentActivity(losses=at), 8, "losses"),
    *_counted("CompileLooping", lambda at: RecentActivity(recompilations=at), 3, "recompilations"),
    example(
        "CrashLooping",
        "errors and restarts are not added up",
        60,
        pipeline(recent=RecentActivity(errors=instants(1, 2), restarts=instants(3, 4))),
    ),
    example(
        "Flapping",
        "hidden by CrashLooping",
        60,
        pipeline(recent=RecentActivity(errors=instants(1, 2, 3), stops=instants(*range(9)))),
    ),
    Example(
        "CrashLooping",
        "since the third restart of a loop, also when the first ones are no longer known",
        tuple(
            (at, fleet(pipeline(recent=RecentActivity(restarts=restarts))))
            for at, restarts in ((60, instants(10, 20, 30)), (100, instants(20, 30, 90)))
        ),
        {"": 30},
    ),
    example(
        "RuntimeFlapping",
        "hidden by CrashLooping",
        60,
        pipeline(recent=RecentActivity(restarts=instants(1, 2, 3), losses=instants(*range(9)))),
    ),
    Example(
        "Flapping",
        "CrashLooping is disabled",
        ((60, fleet(pipeline(recent=RecentActivity(errors=instants(1, 2, 3), stops=instants(*range(6)))))),),
        {"": 5},
        frozenset({"FelderaPipelineCrashLooping"}),
    ),
)

ERRORS: Final[tuple[Example, ...]] = (
    example(
        "DeploymentError",
        "since the log says that it appeared",
        200,
        pipeline(status="Stopped", since=110, desired="Stopped", desired_since=90, error="E", error_at=100),
        since=100,
    ),
    example(
        "DeploymentError",
        "since it is stopping, where the log was not read yet",
        200,
        pipeline(status="Stopping", since=100, desired="Stopped", desired_since=90, error="E"),
        since=100,
    ),
    example(
        "DeploymentError",
        "since it is to be stopped, where the log was not read yet",
        200,
        pipeline(status="Stopped", since=110, desired="Stopped", desired_since=100, error="E"),
        since=100,
    ),
    Example(
        "DeploymentError",
        "another error has another beginning",
        tuple(
            (at, fleet(pipeline(status="Stopped", desired="Stopped", error="E", error_at=error_at)))
            for at, error_at in ((100, 50), (105, 105))
        ),
        {"": 105},
    ),
    Example(
        "DeploymentError",
        "since it was first listed, where its time is still to come: the database's clock is ahead",
        tuple(
            (at, fleet(pipeline(status="Stopped", desired="Stopped", error="E", error_at=DAY, tags=(tag,))))
            for at, tag in ((100, "a"), (105, "b"))
        ),
        {"": 100},
    ),
    example(
        "DeploymentError",
        "for as long as it is set",
        100 * HOUR,
        pipeline(status="Stopped", desired="Stopped", error="E", error_at=100),
        since=100,
    ),
    example(
        "DeploymentError",
        "one that was dismissed",
        200,
        pipeline(recent=RecentActivity(errors=instants(100))),
    ),
    Example(
        "DeploymentError",
        "since the first of two that are one trouble",
        (
            (100, fleet(pipeline(error="E", error_at=100, recent=RecentActivity(errors=instants(100))))),
            (200, fleet(pipeline(error="E", error_at=200, recent=RecentActivity(errors=instants(100, 200))))),
        ),
        {"": 100},
    ),
)

_NEVER: Final = math.inf
_MOST: Final = ((-840.0, -640.0), (-500.0, -300.0), (-160.0, -60.0))
"""500 of the 900 seconds before 0."""


def _away(
    what: str,
    *absences: tuple[float, float],
    present: bool = False,
    limit: float = 300,
    status: str = "Running",
    since: float = -60,
    away_since: float | None = None,
) -> Example:
    """Return an example of a pipeline that was Unavailable now and then, looked at in second 0."""
    subject = pipeline(
        status=status,
        desired="Stopped" if status in {"Stopping", "Stopped"} else "Running",
        since=since,
        away_since=away_since,
        recent=RecentActivity(absences=spans(*absences)),
        limits={"Unavailable": limit},
    )
    return example("Unavailable", what, 0, subject, since=0 if present else None, label="Unavailable")


_JUST: Final = ((-1500.0, -1400.0), (-900.0, -600.0), (-300.0, -150.0))
"""450 seconds of the last 900: half of the time, and no more."""

AWAY: Final[tuple[Example, ...]] = (
    _away("most of a quarter of an hour, though never for five minutes", *_MOST, present=True),
    _away("and starting in between", *_MOST, status="Initializing", present=True),
    _away("half of the time, and long before", *_JUST),
    _away("a microsecond more", *_JUST[:2], (-300, -150 + MICROSECOND), present=True),
    _away("what was before does not count", (-1500, -600), (-300, -150)),
    _away("no limit", *_MOST, limit=_NEVER),
    _away("no limit, and now again", *_MOST, limit=_NEVER, status="Unavailable", away_since=-60),
    _away("its limit and a tenth more", *_MOST, limit=500 / 1.1),
    _away("a little more than that", *_MOST, limit=454, present=True),
    _away("a short limit", (-890, -750), (-600, -450), limit=200),
    _away("a user stops it", *_MOST, status="Stopping"),
    _away("a user has stopped it", *_MOST, status="Stopped"),
    _away(
        "and now again, for less than its limit",
        (-840, -590),
        (-500, -300),
        status="Unavailable",
        away_since=-60,
        present=True,
    ),
    _away("where the log was not read to the end of the last one", (-840, -640), since=-400, away_since=-600),
    _away("where that suffices all the same", (-840, -500), since=-300, away_since=-450, present=True),
    Example(
        "Unavailable",
        "since the first time that it was",
        tuple((at, fleet(pipeline(recent=RecentActivity(absences=spans(*_MOST))))) for at in (0, 10, 15)),
        {"Unavailable": 0},
    ),
    *begins(
        "Unavailable",
        "it becomes most of the time by staying away",
        50 + MICROSECOND,
        pipeline(
            status="Unavailable",
            since=0,
            away_since=0,
            desired="Unavailable",
            recent=RecentActivity(absences=spans((-700, -300))),
        ),
        "Unavailable",
    ),
    *begins(
        "Unavailable",
        "its limit alone, where it was hardly away before",
        300,
        pipeline(
            status="Unavailable",
            since=0,
            away_since=0,
            desired="Unavailable",
            recent=RecentActivity(absences=spans((-500, -490))),
        ),
        "Unavailable",
    ),
)

_COUNTED: Final = Progress(connector_errors=10_000)
_FAILING: Final = ((-1200, 99), (-600, 99), (0, 99))


def _errors(
    what: str,
    *counts: int,
    apart: float = 600,
    ago: float = 0,
    seen: float = -HOUR,
    since: float | None = None,
) -> Example:
    """Return an example of a pipeline whose connectors failed at instants, the newest first, looked at in second 0."""
    errors = [(-ago - apart * number, count) for number, count in enumerate(counts) if count]
    moved = activity(seen, errors=errors[::-1])
    return example("ConnectorErrors", what, 0, pipeline(progress=_COUNTED, moved=moved), since=since)


CONNECTORS: Final[tuple[Example, ...]] = (
    _errors("more than 60 in each of three windows", 61, 61, 61, since=0),
    _errors("60 in the last one", 60, 61, 61),
    _errors("60 in the one before", 61, 60, 61),
    _errors("60 in the one before that", 61, 61, 60),
    _errors("none in between", 500, 0, 500, 500),
    _errors("spread over the windows", *[21] * 90, apart=20, since=0),
    _errors("few all the time", *[2] * 90, apart=20),
    _errors("seen for half an hour", 61, 61, 61, seen=-1800, since=0),
    _errors("seen for less", 61, 61, 61, seen=-1800 + MICROSECOND),
    _errors("the last ones less than ten minutes ago", 61, 61, 61, ago=599.9, since=-599.9),
    _errors("the last ones ten minutes ago", 61, 61, 61, ago=600),
    example(
        "ConnectorErrors",
        "Feldera does not count them",
        0,
        pipeline(moved=activity(-HOUR, errors=_FAILING)),
    ),
    Example(
        "ConnectorErrors",
        "since the first time",
        tuple(
            (
                at,
                fleet(
                    pipeline(
                        progress=_COUNTED,
                        moved=activity(-HOUR, errors=[(at - 1200, 99), (at - 600, 99), (at, 99)]),
                    )
                ),
            )
            for at in (0, 300)
        ),
        {"": 0},
    ),
    *(
        Example(
            "ConnectorErrors",
            f"after a restart, {what}",
            (
                (0, fleet(pipeline(progress=_COUNTED, moved=activity(-HOUR, errors=_FAILING)))),
                *((at, fleet(pipeline(progress=_COUNTED, moved=activity(5)))) for at in (5, until)),
            ),
            {"": 0} if present else {},
        )
        for what, until, present in (
            ("not known yet", 605 - MICROSECOND, True),
            ("known to have ended", 605, False),
        )
    ),
)

COUNTS: Final = (*LOOPS, *ERRORS, *AWAY, *CONNECTORS)
