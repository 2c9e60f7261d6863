"""The table of trouble and the timelines hold whatever needs somebody, the gravest first."""

from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import Final

import pytest

from boards.recorded import NOW, Samples, Series, alert, pipeline, refused, replica
from feldera_exporter.feldera.vocabulary import DEPLOYMENT, DEPLOYMENT_DESIRED, PROGRAM, STORAGE
from feldera_exporter.rules.model import Scope
from feldera_exporter.rules.table import ALERTS

STATUS: Final = "fleet / Pipelines in trouble / Status"
FOR: Final = "fleet / Pipelines in trouble / For"
OF_LIMIT: Final = "fleet / Pipelines in trouble / Of limit"
ALERT: Final = "fleet / Pipelines in trouble / Alert"
TIMELINE: Final = "fleet / Deployment status / {{pipeline_name}} ({{feldera_instance}})"
PLACES: Final = {status: place for place, status in enumerate(DEPLOYMENT.statuses)}
_RANKS: Final = {"critical": 3, "warning": 2}


def _named(name: str) -> dict[str, str]:
    return {"feldera_instance": "prod", "pipeline": f"pipeline-{name}", "pipeline_name": name}


def _running(name: str, since: float = 0, team: str = "") -> Iterator[Series]:
    statuses = [
        (DEPLOYMENT, "Running", since, inf),
        (DEPLOYMENT_DESIRED, "Running", 0, inf),
        (PROGRAM, "Success", 0, inf),
        (STORAGE, "InUse", 0, inf),
    ]
    yield from pipeline("a", name, statuses, team=team)


@pytest.mark.parametrize("severity", _RANKS)
def test_every_alert_about_a_pipeline_brings_it_in(tmp_path: Path, severity: str) -> None:
    """Critical or warning, whatever the pipeline's state: crash looping, flapping, stopped though expected to run."""
    names = sorted(alert.name for alert in ALERTS if alert.scope is Scope.PIPELINE)
    assert {"FelderaPipelineCrashLooping", "FelderaPipelineUnexpectedlyStopped"} <= set(names)

    def recorded() -> Iterator[Series]:
        yield from replica("a", NOW - 5)
        yield from _running("fine")
        yield from _running("noticed")
        yield alert("FelderaPipelineCompileFailed", "info", "noticed")
        for name in names:
            yield from _running(name, NOW - 100)
            yield alert(name, severity, name)

    running = {"dimension": "deployment", "status": "Running"}
    expected: dict[str, Samples] = {
        STATUS: [({**_named(name), **running}, 1) for name in names],
        FOR: [({**_named(name), "dimension": "deployment"}, 100) for name in names],
        OF_LIMIT: [({**_named(name), "dimension": "deployment"}, 0) for name in names],
        ALERT: [({**_named(name), "alertname": name}, _RANKS[severity]) for name in names],
    }
    assert refused(tmp_path, recorded(), expected) == ""


def test_an_alert_brings_in_a_pipeline_that_is_out_of_sight(tmp_path: Path) -> None:
    """While the API is down and its state is forgotten, the alert that is kept still says which pipeline it is."""

    def recorded() -> Iterator[Series]:
        yield from replica("a", NOW - 400, up=0)
        yield alert("FelderaPipelineCrashLooping", "critical", "orders")
        yield alert("FelderaPipelineDeploymentError", "warning", "orders")

    found = {**_named("orders"), "alertname": "FelderaPipelineCrashLooping"}
    expected: dict[str, Samples] = {
        ALERT: [(found, 3)],
        STATUS: [],
        **dict.fromkeys(
            (
                "fleet / Stuck / stuck",
                "fleet / Failed / failed",
                "fleet / Need a person / waiting",
                "fleet / Running / running",
            ),
            (),
        ),
    }
    assert refused(tmp_path, recorded(), expected) == ""


def test_a_teams_choice_narrows_by_the_alerts_tags(tmp_path: Path) -> None:
    """An alert about another team's pipeline, or about one without a team, brings nothing in."""

    def recorded() -> Iterator[Series]:
        yield from replica("a", NOW - 5)
        for name, team in (("orders", "shop"), ("clicks", "web"), ("nobodys", "")):
            yield from _running(name, team=team)
            yield alert("FelderaPipelineFlapping", "warning", name, team)

    found = [({**_named("orders"), "alertname": "FelderaPipelineFlapping"}, 2.0)]
    assert refused(tmp_path, recorded(), {ALERT: found}, team="shop") == ""


@pytest.mark.parametrize(
    ("dimension", "status", "shown"),
    [
        ("deployment", "Stopping", "Stopping"),
        ("program", "CompilingRust", "CompilingRust"),
        ("storage", "Clearing", "Clearing"),
        ("desired", "Running", "not Running"),
    ],
)
def test_the_most_overdue_of_all_dimensions_is_shown(
    tmp_path: Path, dimension: str, status: str, shown: str
) -> None:
    """With its status, its age and how much of its limit has passed, although others lasted longer."""
    states = {
        "deployment": (DEPLOYMENT, "Stopped", NOW - 4000, 10_000.0),
        "desired": (DEPLOYMENT_DESIRED, "Stopped", NOW - 4000, 10_000.0),
        "program": (PROGRAM, "Pending", NOW - 4000, 10_000.0),
        "storage": (STORAGE, "Cleared", NOW - 4000, inf),
    }
    limit = 3000.0 if dimension == "desired" else 900.0
    began = NOW - 4000 if dimension == "desired" else NOW - 1000
    states[dimension] = (states[dimension][0], status, began, limit)

    def recorded() -> Iterator[Series]:
        yield from replica("a", NOW - 5)
        yield from pipeline("a", "orders", list(states.values()))

    labels = {**_named("orders"), "dimension": dimension}
    expected: dict[str, Samples] = {
        STATUS: [({**labels, "status": shown}, 1)],
        FOR: [(labels, NOW - began)],
        OF_LIMIT: [(labels, (NOW - began) / limit)],
    }
    assert refused(tmp_path, recorded(), expected) == ""


def test_the_table_ends_after_fifty(tmp_path: Path) -> None:
    """Those of critical alerts are there before those of warnings, and these before the ones that are most overdue."""

    def recorded() -> Iterator[Series]:
        yield from replica("a", NOW - 5)
        for number in range(60):
            age = 1000.0 + number
            yield from pipeline("a", f"p{number}", [(DEPLOYMENT, "Stopping", NOW - age, 900.0)])
        for number in (1, 2):
            yield alert("FelderaPipelineFlapping", "warning", f"p{number}")
        yield alert("FelderaPipelineCrashLooping", "critical", "p3")

    shown = [1, 2, 3, *range(13, 60)]
    expected: dict[str, Samples] = {
        FOR: [({**_named(f"p{number}"), "dimension": "deployment"}, 1000 + number) for number in shown]
    }
    assert len(shown) == 50
    assert refused(tmp_path, recorded(), expected) == ""


def test_timelines_begin_with_trouble(tmp_path: Path) -> None:
    """A pipeline that has been stuck since long before is among the twenty, and pushes out the one that changed least."""

    def recorded() -> Iterator[Series]:
        yield from replica("a", NOW - 5)
        yield from pipeline("a", "stuck", [(DEPLOYMENT, "Stopping", 0.0, 900.0)])
        yield from _running("alerted")
        yield alert("FelderaPipelineFlapping", "warning", "alerted")
        for number in range(30):
            for each in _running(f"p{number:02d}"):
                if "deployment_status_since" in each["series"]:
                    each["values"] = f"0x{NOW // 15 - 60} " + " ".join(
                        str(min(step, number) + 1) for step in range(61)
                    )
                yield each

    busiest = [f"p{number:02d}" for number in range(12, 30)]
    running = PLACES["Running"]
    expected: dict[str, Samples] = {
        TIMELINE: [
            (_named("stuck"), PLACES["Stopping"]),
            (_named("alerted"), running),
            *((_named(name), running) for name in busiest),
        ]
    }
    assert refused(tmp_path, recorded(), expected) == ""
