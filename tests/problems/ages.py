"""Examples of problems about ages: each limit at its boundary, other problems of the same status, and no problem."""

import math
from typing import Final

from feldera_exporter.feldera.statuses import DEFAULT_LIMITS, DEPLOYMENT, PROGRAM, STORAGE
from feldera_exporter.feldera.wire import Progress
from problems.examples import HOUR, LONG_AGO, Example, activity, begins, example, fleet, pipeline

NEVER: Final = math.inf
START_PENDING: Final = DEFAULT_LIMITS["StartPending"]
DRIFT: Final = DEFAULT_LIMITS["Drift"]
EXPECTED: Final = ("expect:running",)

_WANTED: Final = {"Stopping": "Stopped", "Unavailable": "Unavailable", "Suspended": "Suspended"}

LIMITS: Final[tuple[Example, ...]] = (
    *(
        each
        for status, row in DEPLOYMENT.rows.items()
        if row.limit < NEVER
        for each in begins(
            row.overdue,
            f"{status} for its limit",
            row.limit,
            pipeline(status=status, since=0, desired=_WANTED.get(status, "Running")),
            status,
        )
    ),
    *(
        each
        for status, row in PROGRAM.rows.items()
        if row.limit < NEVER
        for each in begins(
            "CompileStuck",
            f"{status} for its limit",
            row.limit,
            pipeline(status="Stopped", desired="Stopped", program=status, program_since=0),
            status,
        )
    ),
    *(
        each
        for status, row in STORAGE.rows.items()
        if row.limit < NEVER
        for each in begins(
            "StorageClearingStuck",
            f"{status} for its limit",
            row.limit,
            pipeline(status="Stopped", desired="Stopped", storage=status, storage_since=0),
            status,
        )
    ),
    *begins(
        "Stuck",
        "a status that should last, with a configured limit",
        600,
        pipeline(status="Paused", desired="Paused", since=0, limits={"Paused": 600}),
        "Paused",
    ),
    *begins(
        "Stuck",
        "a status that this version does not know",
        600,
        pipeline(status="Dreaming", since=0, limits={"Dreaming": 600}),
        "Dreaming",
    ),
    *begins(
        "StuckProvisioning",
        "a longer limit",
        1800.5,
        pipeline(status="Provisioning", since=0, limits={"Provisioning": 1800.5}),
        "Provisioning",
    ),
    example(
        "StuckProvisioning",
        "no limit",
        100 * HOUR,
        pipeline(status="Provisioning", since=0, limits={"Provisioning": NEVER}),
    ),
    example(
        "StorageClearingStuck",
        "the log with the beginning was not read yet",
        1,
        pipeline(status="Stopped", desired="Stopped", storage="Clearing", storage_since=None),
    ),
)

STARTS: Final[tuple[Example, ...]] = tuple(
    each
    for age in ("since", "desired_since", "program_since")
    for each in begins(
        "StartPending",
        f"its {age}",
        START_PENDING,
        pipeline(status="Stopped", **{age: 0}),  # type: ignore[arg-type]
        "Stopped",
    )
)


def _drifts(what: str, status: str, desired: str, program: str = "Success") -> tuple[Example, ...]:
    return begins(
        "DesiredDrift",
        what,
        DRIFT,
        pipeline(status=status, since=0, desired=desired, program=program),
        status,
    )


DRIFTS: Final[tuple[Example, ...]] = (
    *_drifts("two statuses that last", "Running", "Paused"),
    *_drifts("rising though it is to be stopped", "Bootstrapping", "Stopped"),
    *_drifts("stopped, and the program that should start is broken", "Stopped", "Running", "SqlError"),
    *_drifts("stopping though it is to be started", "Stopping", "Running"),
    *begins(
        "DesiredDrift",
        "desired for so long",
        DRIFT,
        pipeline(status="Running", desired="Paused", desired_since=0),
        "Running",
    ),
    example("DesiredDrift", "on its way", 20 * HOUR, pipeline(status="Bootstrapping", since=0)),
    example(
        "DesiredDrift",
        "stopped and compiling",
        20 * HOUR,
        pipeline(status="Stopped", since=0, program="SqlCompiled"),
    ),
    example(
        "DesiredDrift", "a start that is pending is no drift", 20 * HOUR, pipeline(status="Stopped", since=0)
    ),
    example(
        "DesiredDrift", "no limit", 20 * HOUR, pipeline(desired="Paused", since=0, limits={"Drift": NEVER})
    ),
    example(
        "StartPending", "no limit", 20 * HOUR, pipeline(status="Stopped", limits={"StartPending": NEVER})
    ),
    example("StartPending", "a drift is no start", 20 * HOUR, pipeline(desired="Paused", since=0)),
)

EXPECTATIONS: Final[tuple[Example, ...]] = (
    *begins(
        "UnexpectedlyStopped",
        "stopped for ten minutes",
        600,
        pipeline(status="Stopped", since=0, desired="Stopped", tags=EXPECTED),
        "Stopped",
    ),
    *begins(
        "UnexpectedlyStopped",
        "to be stopped for ten minutes",
        600,
        pipeline(status="Stopped", desired="Stopped", desired_since=0, tags=EXPECTED),
        "Stopped",
    ),
    example(
        "UnexpectedlyStopped",
        "a user is just starting it",
        HOUR,
        pipeline(status="Stopped", since=0, program="CompilingRust", tags=EXPECTED),
    ),
    example(
        "UnexpectedlyStopped",
        "it is stopping",
        HOUR,
        pipeline(status="Stopping", since=0, desired="Stopped", tags=EXPECTED),
    ),
    example(
        "UnexpectedlyStopped",
        "not expected to run",
        HOUR,
        pipeline(status="Stopped", since=0, desired="Stopped"),
    ),
)

PROGRAMS: Final[tuple[Example, ...]] = tuple(
    each
    for problem, status, after in (
        ("CompileFailed", "SqlError", 300),
        ("CompileFailed", "RustError", 300),
        ("CompileSystemError", "SystemError", 60),
    )
    for each in begins(
        problem,
        status,
        after,
        pipeline(status="Stopped", desired="Stopped", program=status, program_since=0),
        status,
    )
)

_KNOWN: Final = Progress(refresh_version=7)

FROZEN: Final[tuple[Example, ...]] = (
    *begins(
        "RunnerFrozen",
        "a quarter of an hour after the last refresh",
        900,
        pipeline(progress=_KNOWN, moved=activity(refreshed=0)),
    ),
    *begins(
        "RunnerFrozen",
        "deployed since the last refresh",
        900,
        pipeline(since=0, progress=_KNOWN, moved=activity(refreshed=-5)),
    ),
    *begins(
        "RunnerFrozen",
        "a quarter of an hour after it was first seen",
        900,
        pipeline(progress=_KNOWN, moved=activity(since=0)),
    ),
    example(
        "RunnerFrozen",
        "a stopped one is not refreshed",
        HOUR,
        pipeline(
            status="Stopped",
            desired="Stopped",
            since=0,
            progress=_KNOWN,
            moved=activity(refreshed=LONG_AGO + 1),
        ),
    ),
    example(
        "RunnerFrozen",
        "nothing is known of refreshes",
        HOUR,
        pipeline(moved=activity(refreshed=LONG_AGO + 1)),
    ),
    Example(
        "RunnerFrozen",
        "since the first of two whiles, of which none is seen to end",
        (
            (900, fleet(pipeline(progress=_KNOWN, moved=activity(refreshed=0)))),
            (900, fleet(pipeline(progress=_KNOWN, moved=activity(since=850)))),
            (1750, fleet(pipeline(progress=_KNOWN, moved=activity(since=850)))),
        ),
        {"": 900},
    ),
)

AGES: Final = (*LIMITS, *STARTS, *DRIFTS, *EXPECTATIONS, *PROGRAMS, *FROZEN)
