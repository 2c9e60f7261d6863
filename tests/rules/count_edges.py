"""The edges of conditions that count: windows, thresholds, what is left out of account."""

from collections.abc import Callable
from typing import Final

from rules.cases import climbing
from rules.edge import AT, of_pipeline
from rules.facts import Pipeline, fleet
from rules.scenarios import Scenario
from rules.world import STEP, Samples, View, crowd, exporter


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


CRASHES: Final = (
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


def _counted(family: str, *steps: tuple[float, float, float], **labels: str) -> View:
    """Return a view of a running pipeline with a counter that rises by `by` evenly from `begin` to `end` before `AT`."""

    def count(now: float) -> float:
        return sum(by * min(max((now - AT + begin) / (begin - end), 0), 1) for begin, end, by in steps)

    others = {(family, (("status", "Running"),)): 1.0} if labels else {}
    return lambda now: fleet(
        Pipeline(
            counters={
                (family, tuple(labels.items())): count(now),
                **{key: value * now for key, value in others.items()},
            }
        )
    )


def _errors_at(*before: float) -> View:
    return _counted("feldera_pipeline_deployment_errors_total", *((at, at - 1, 1) for at in before))


def _away(*steps: tuple[float, float, float]) -> View:
    return _counted("feldera_pipeline_deployment_status_seconds_total", *steps, status="Unavailable")


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
)

AWAY: Final = (
    Scenario(
        "most of a quarter of an hour, though never for five minutes",
        (
            crowd(
                {
                    "most": _away((840, 640, 200), (500, 300, 200), (200, 60, 140)),
                    "early": _away((890, 640, 250), (600, 350, 250)),
                    "some": _away((840, 690, 150), (300, 150, 150)),
                    "before": _away((2600, 1000, 1600)),
                }
            ),
        ),
        {
            AT: tuple(
                of_pipeline("FelderaPipelineUnavailable", cell, status="Unavailable")
                for cell in ("most", "early")
            )
        },
    ),
)

RESOURCES: Final = "feldera_pipeline_deployment_resources_status_transitions_total"
RUNTIME: Final = "feldera_pipeline_deployment_runtime_status_transitions_total"
PROGRAM: Final = "feldera_pipeline_program_status_transitions_total"
ERRORS_TOTAL: Final = "feldera_pipeline_deployment_errors_total"
