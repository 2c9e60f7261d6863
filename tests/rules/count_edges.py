"""The edges of conditions that count: windows, thresholds, what is left out of account."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rules.cases import climbing
from rules.edge import AT, of_pipeline
from rules.facts import LIMITS, NEVER, Pipeline, fleet, samples
from rules.scenarios import Scenario
from rules.world import STEP, Samples, Target, View, crowd, exporter

RESOURCES: Final = "feldera_pipeline_deployment_resources_status_transitions_total"
RUNTIME: Final = "feldera_pipeline_deployment_runtime_status_transitions_total"
PROGRAM: Final = "feldera_pipeline_program_status_transitions_total"
ERRORS_TOTAL: Final = "feldera_pipeline_deployment_errors_total"


def spread(name: str, family: str, last: int, *labels: tuple[str, str]) -> tuple[Scenario, ...]:
    """Return scenarios in which the steps take 50 minutes, which fires, or two hours, which does not."""
    near, _ = climbing(family, 3000 / (last - 1), last, *labels, onset=3060)
    far, _ = climbing(family, 7200 / (last - 1), last, *labels, onset=7260)
    on = (of_pipeline(name),)
    return (
        Scenario("spread over most of an hour", (exporter(near),), {3060: (), 3090: on}),
        Scenario("spread over two hours", (exporter(far),), {7260: (), 7290: ()}),
    )


def _starts(now: float) -> Samples:
    """Four starts by a user within the hour, the first three of them early in it."""
    starts = float((now > 700) + (now > 900) + (now > 1100) + (now > 3000))
    families = {
        ("feldera_pipeline_deployment_runtime_status_transitions_total", (("to", "Initializing"),)): starts,
        (
            "feldera_pipeline_deployment_resources_status_transitions_total",
            (("from", "Provisioning"), ("to", "Provisioned")),
        ): starts,
    }
    return fleet(Pipeline(counters=families))


def _crashes(now: float) -> Samples:
    """Many starts by users two hours ago, and three restarts by itself within the last hour."""
    starts = min(now // 300, 10.0)
    crashes = float((now > 7300) + (now > 8300) + (now > 9300))
    families = {
        ("feldera_pipeline_deployment_runtime_status_transitions_total", (("to", "Initializing"),)): starts
        + crashes,
        (
            "feldera_pipeline_deployment_resources_status_transitions_total",
            (("from", "Provisioning"), ("to", "Provisioned")),
        ): starts,
    }
    return fleet(Pipeline(counters=families))


def _anew(begin: float, *times: float) -> Callable[[float], float]:
    """Return a counter of what happens at times, that is counted from 0 again at one, as without a store."""
    return lambda now: float(sum(at < now and (now < begin or at >= begin) for at in times))


def _failing(count: Callable[[float], float]) -> View:
    return lambda now: fleet(Pipeline(counters={(ERRORS_TOTAL, ()): count(now)}))


def _restarting(count: Callable[[float], float], starts: Callable[[float], float]) -> View:
    return lambda now: fleet(
        Pipeline(
            counters={
                (RUNTIME, (("to", "Initializing"),)): count(now),
                (RESOURCES, (("from", "Provisioning"), ("to", "Provisioned"))): starts(now),
            }
        )
    )


def _looping(*times: float) -> Target:
    """Return an exporter of pipelines that fail or restart at times, and are counted anew at 3000."""
    count = _anew(3000, *times)
    return crowd({"errors": _failing(count), "restarts": _restarting(count, _anew(3000, -1))})


_LOOPING: Final = tuple(of_pipeline("FelderaPipelineCrashLooping", cell) for cell in ("errors", "restarts"))


def _polled(now: float) -> Samples:
    """Four starts within the hour at a server without an event log, where no poll fell into Provisioning."""
    starts = float((now > 700) + (now > 900) + (now > 1100) + (now > 3000))
    families = {
        (RUNTIME, (("to", "Initializing"),)): starts,
        (RESOURCES, (("from", "Provisioning"), ("to", "Provisioned"))): 0.0,
        (RESOURCES, (("from", "Stopped"), ("to", "Provisioned"))): starts,
    }
    return fleet(Pipeline(counters=families))


def _missed(now: float) -> Samples:
    """What happened from 600 to 7800, spread over it: four errors and four restarts, each of them followed by a start."""
    times = 5 + sum(now > at for at in (2000, 3500, 5000, 6500))
    families = {
        (ERRORS_TOTAL, ()): float(times),
        (RUNTIME, (("to", "Initializing"),)): 2.0 * times,
        (RESOURCES, (("from", "Provisioning"), ("to", "Provisioned"))): float(times),
    }
    return fleet(Pipeline(counters=families))


CRASHES: Final = (
    Scenario(
        "starts by users are none at a server without an event log either",
        (exporter(_polled),),
        dict.fromkeys((1200, 2400, 3300, 3600), ()),
    ),
    Scenario(
        "what an exporter that was away for long catches up with",
        (exporter(_missed, down=[(600, 7800)]),),
        {585: (), **dict.fromkeys((7800, 7815, 7860, 8400, 11_000), ())},
    ),
    Scenario(
        "counters that begin anew are no rise",
        (_looping(2000, 2500),),
        dict.fromkeys((3000, 3060, 4500, 5400), ()),
    ),
    Scenario(
        "counters that began anew a while ago hide none",
        (_looping(1000, 4000, 4700, 5400),),
        {5370: (), 5430: _LOOPING, 6300: _LOOPING},
    ),
    Scenario(
        "counters that began anew hours ago hide none and are none",
        (_looping(1000, 6600, 7250, 7900),),
        {7290: (), 7920: _LOOPING},
    ),
    Scenario("starts by users are none", (exporter(_starts),), dict.fromkeys((1200, 2400, 3300, 3600), ())),
    Scenario(
        "starts by users long ago hide no crashes",
        (exporter(_crashes),),
        {9300: (), 9330: (of_pipeline("FelderaPipelineCrashLooping"),)},
    ),
)


def _errors(*rates: Callable[[float], float]) -> View:
    """Return a view of a pipeline whose connectors fail at given rates in each of four windows before `AT`."""

    def rate(now: float) -> float:
        window = int((AT - now) // 600)
        return rates[window]((AT - now) % 600) if 0 <= window < len(rates) else 0

    counts = [0.0]
    for now in range(STEP, AT + STEP, STEP):
        counts.append(counts[-1] + rate(now - 1) * STEP)
    name = ("feldera_pipeline_connector_errors_total", ())
    return lambda now: fleet(Pipeline(counters={name: counts[int(now) // STEP]}))


def _flat(rate: float) -> Callable[[float], float]:
    return lambda _: rate


def _early(left: float) -> float:
    return 1.0 if left > 300 else 0.0


_ON: Final = _flat(1.0)
_OFF: Final = _flat(0.0)
_LOW: Final = _flat(0.08)

ERRORS: Final = (
    Scenario(
        "errors in each of three windows, no less",
        (
            crowd(
                {
                    "all": _errors(_ON, _ON, _ON),
                    "just": _errors(*[_flat(0.15)] * 3),
                    "early": _errors(_early, _early, _early),
                    "two": _errors(_ON, _ON, _OFF, _ON),
                    "gap": _errors(_ON, _OFF, _ON, _ON),
                    "ended": _errors(_OFF, _ON, _ON, _ON),
                    "low now": _errors(_LOW, _ON, _ON),
                    "low before": _errors(_ON, _LOW, _ON),
                    "low long before": _errors(_ON, _ON, _LOW),
                }
            ),
        ),
        {AT: tuple(of_pipeline("FelderaPipelineConnectorErrors", cell) for cell in ("all", "just", "early"))},
    ),
)


def _errors_at(*before: float) -> View:
    """Return a view of a pipeline that had errors so many seconds before `AT`."""
    return lambda now: fleet(
        Pipeline(counters={(ERRORS_TOTAL, ()): float(sum(now > AT - at for at in before))})
    )


@dataclass(frozen=True)
class _Loop:
    """A pipeline that is Unavailable for spans of time, given in seconds before `AT`, and something else in between.

    Attributes:
        spans: each from when until when, both before `AT`.
        between: its status otherwise.
        limit: how long it may be Unavailable.
    """

    spans: tuple[tuple[float, float], ...]
    between: str = "Running"
    limit: float = LIMITS["Unavailable"]

    def __call__(self, now: float) -> Samples:
        away = next((begin for begin, end in self.spans if AT - begin <= now < AT - end), None)
        edges = (0.0, *(AT - edge for span in self.spans for edge in span))
        spent = sum(min(max(now - AT + begin, 0), begin - end) for begin, end in self.spans)
        return fleet(
            Pipeline(
                status=self.between if away is None else "Unavailable",
                desired=self.between if away is None else "Unavailable",
                since=max(edge for edge in edges if edge <= now),
                own_limit=None if away is None else self.limit,
                counters={
                    (_SECONDS, (("status", "Unavailable"),)): spent,
                    (_SECONDS, (("status", "Running"),)): now,
                },
            )
        )


_SECONDS: Final = "feldera_pipeline_deployment_status_seconds_total"
_MOST: Final = ((840.0, 640.0), (500.0, 300.0), (200.0, 60.0))
_LONG: Final = ((2000.0, 0.0),)


def _stopped(status: str) -> View:
    """Return a view of a pipeline that is away for most of the time, until a user stops it."""
    over = Pipeline(status=status, desired="Stopped", since=AT - 45.0)

    def view(now: float) -> Samples:
        shown = _Loop(_MOST)(now)
        return shown if now < AT - 45 else shown | samples(over)

    return view


def _unlimited(now: float) -> Samples:
    """Away for most of the time and now again, until its limit is taken away."""
    return _Loop((*_MOST[:2], (200.0, 0.0)), limit=LIMITS["Unavailable"] if now < AT - 45 else NEVER)(now)


AGAIN: Final = (
    Scenario(
        "an error that comes back after each start",
        (
            crowd(
                {
                    "twice": _errors_at(400, 100),
                    "once": _errors_at(100),
                    "long ago": _errors_at(900, 700),
                }
            ),
        ),
        {AT: (of_pipeline("FelderaPipelineDeploymentError", "twice"),)},
    ),
    Scenario(
        "one error that is over, right after the exporter was away",
        (
            exporter(
                lambda now: fleet(Pipeline(counters={(ERRORS_TOTAL, ()): 5.0 + (now > 1805)})),
                down=[(600, 1800)],
            ),
        ),
        dict.fromkeys((585, 1800, 1815, 1830, 1860, 2400), ()),
    ),
    Scenario(
        "one error, and counters that begin anew",
        (exporter(_failing(_anew(900, 300, 1200))),),
        dict.fromkeys((315, 900, 915, 1230, 1400), ()),
    ),
    Scenario(
        "two errors, and counters that began anew before",
        (exporter(_failing(_anew(900, 200, 1700, 1900))),),
        {
            1890: (),
            1920: (of_pipeline("FelderaPipelineDeploymentError"), of_pipeline("FelderaPipelineCrashLooping")),
        },
    ),
)

AWAY: Final = (
    Scenario(
        "most of a quarter of an hour, though never for five minutes",
        (
            crowd(
                {
                    "most": _Loop(_MOST),
                    "starting in between": _Loop(_MOST, between="Initializing"),
                    "early": _Loop(((890, 640), (600, 350))),
                    "some": _Loop(((840, 690), (300, 150))),
                    "before": _Loop(((2600, 1000),)),
                    "no limit": _Loop(_MOST, limit=NEVER),
                    "a longer limit": _Loop(_MOST, limit=600.0),
                    "a limit that most of the time is more than": _Loop(_MOST, limit=480.0),
                    "a short limit": _Loop(((890, 750), (600, 450)), limit=200.0),
                }
            ),
        ),
        {
            AT: tuple(
                of_pipeline("FelderaPipelineUnavailable", cell, status="Unavailable")
                for cell in (
                    "most",
                    "starting in between",
                    "early",
                    "a limit that most of the time is more than",
                )
            )
        },
    ),
    Scenario(
        "at a stretch, with other limits",
        (crowd({"none": _Loop(_LONG, limit=NEVER), "twenty minutes": _Loop(_LONG, limit=1200.0)}),),
        {
            AT - 800: (),
            AT - 785: (of_pipeline("FelderaPipelineUnavailable", "twenty minutes", status="Unavailable"),),
        },
    ),
    *(
        Scenario(
            f"{status} by a user, which ends it",
            (exporter(_stopped(status)),),
            {AT - 60: (of_pipeline("FelderaPipelineUnavailable", status="Unavailable"),), AT: ()},
        )
        for status in ("Stopping", "Stopped")
    ),
    Scenario(
        "a limit that is taken away meanwhile",
        (exporter(_unlimited),),
        {AT - 60: (of_pipeline("FelderaPipelineUnavailable", status="Unavailable"),), AT: ()},
    ),
)


def _both(family: str, *labels: tuple[str, str]) -> View:
    """Return a view of a pipeline that fails three times within the hour, and does something else nine times."""
    other, _ = climbing(family, 60, 9, *labels, onset=1500)
    return lambda now: (
        other(now)
        | {
            (name, own): value
            for (name, own), value in _errors_at(2200, 1500, 800)(now).items()
            if name == ERRORS_TOTAL
        }
    )


def yielding(name: str, family: str, *labels: tuple[str, str]) -> tuple[Scenario, ...]:
    """Return scenarios in which what crashes again and again does so in two ways, and one is told."""
    crash = of_pipeline("FelderaPipelineCrashLooping")
    return (
        Scenario(
            "told already by that it crashes",
            (exporter(_both(family, *labels)),),
            {
                AT - 810: (of_pipeline(name),),
                AT - 780: (crash,),
                AT: (crash,),
                AT + 1320: (crash,),
                AT + 1500: (),
            },
        ),
    )
