"""The summaries of pipelines: statuses, urgency, order."""

import math
from typing import Any

import pytest

from feldera_exporter.problems.alerts import PresentAlert
from feldera_exporter.problems.pipeline_summaries import StatusAge, Urgency, lines
from support.fleets import NOW, ago, fleet, pipeline

PAGE = PresentAlert("FelderaPipelineStuckProvisioning", "critical", "id-x")
TICKET = PresentAlert("FelderaPipelineDeploymentError", "warning", "id-x")


def test_a_running_pipeline_is_well() -> None:
    """A running pipeline has no limit, no error and no alert."""
    (line,) = lines(fleet(pipeline("x", 5)).pipelines, (), NOW)
    assert (line.id, line.name, line.status, line.desired) == ("id-x", "x", "Running", "Running")
    assert (line.program, line.storage, line.error_code, line.alerts) == ("Success", "InUse", "", ())
    assert line.wait == StatusAge("Running", 300.0, math.inf)
    assert line.level is Urgency.WELL


@pytest.mark.parametrize(
    ("fields", "minutes", "wait", "level"),
    [
        ({"deployment_status": "Provisioning"}, 5, StatusAge("Provisioning", 300, 600), Urgency.MOVING),
        ({"deployment_status": "Provisioning"}, 12, StatusAge("Provisioning", 720, 600), Urgency.WRONG),
        ({"deployment_status": "AwaitingApproval"}, 1, StatusAge("AwaitingApproval", 60, 900), Urgency.WRONG),
        ({"deployment_status": "Unavailable"}, 1, StatusAge("Unavailable", 60, 300), Urgency.WRONG),
        ({"deployment_status": "Unknown"}, 1, StatusAge("to be Running", 60, 1800), Urgency.WRONG),
        ({"deployment_status": "Paused"}, 3, StatusAge("to be Running", 180, 1800), Urgency.MOVING),
        (
            {"deployment_status": "Paused", "program_status_since": ago(1)},
            3,
            StatusAge("to be Running", 180, 1800),
            Urgency.MOVING,
        ),
        (
            {"deployment_status": "Stopped", "program_status_since": ago(1)},
            3,
            StatusAge("to be Running", 60, 600),
            Urgency.MOVING,
        ),
        ({"program_status": "CompilingRust"}, 6, StatusAge("CompilingRust", 360, 3600), Urgency.MOVING),
        ({"program_status": "SqlError"}, 6, StatusAge("Running", 360, math.inf), Urgency.WRONG),
        ({"deployment_error": {"error_code": "E"}}, 6, StatusAge("Running", 360, math.inf), Urgency.WRONG),
    ],
)
def test_what_is_nearest_to_its_limit_counts(
    fields: dict[str, Any], minutes: float, wait: StatusAge, level: Urgency
) -> None:
    """The status nearest to its limit is shown; beyond the limit, with an error or a bad status, the level is WRONG."""
    (line,) = lines(fleet(pipeline("x", minutes, **fields)).pipelines, (), NOW)
    assert line.wait == wait
    assert line.level is level


def test_clearing_counts_from_when_it_was_seen() -> None:
    """Feldera's list has no beginning of a clearing; the history has."""
    (line,) = lines(fleet(pipeline("x", clearing=16, storage_status="Clearing")).pipelines, (), NOW)
    assert line.wait == StatusAge("Clearing", 960, 900)
    assert line.level is Urgency.WRONG


def test_a_status_without_a_limit_may_last() -> None:
    """A status without a limit may last; one whose limit is 0 is always over it."""
    assert StatusAge("Running", 10, math.inf).share == 0
    assert StatusAge("Stopping", 10, 0).share == math.inf


def test_an_instant_ahead_of_the_clock_is_now() -> None:
    """No age is negative."""
    (line,) = lines(fleet(pipeline("x", deployment_status_since=ago(-1))).pipelines, (), NOW)
    assert line.wait.age == 0


@pytest.mark.parametrize(
    ("alerts", "level"), [((TICKET,), Urgency.WRONG), ((TICKET, PAGE), Urgency.CRITICAL)]
)
def test_firing_alerts_count_most(alerts: tuple[PresentAlert, ...], level: Urgency) -> None:
    """Firing alerts come before everything else, the worst first."""
    first, second = lines(
        fleet(pipeline("w", 12, deployment_status="Provisioning"), pipeline("x")).pipelines, alerts, NOW
    )
    line, other = (first, second) if first.name == "x" else (second, first)
    assert line.level is level
    assert line.alerts == alerts[::-1]
    assert other.alerts == ()


def test_the_worst_comes_first() -> None:
    """The order is by level, then by the worst alert, then by the time left, then by name."""
    alerts = (
        PAGE,
        PresentAlert("FelderaPipelineCompileFailed", "info", "id-a"),
        PresentAlert("FelderaPipelineDeploymentError", "warning", "id-z"),
    )
    shown = lines(
        fleet(
            pipeline("c"),
            pipeline("a"),
            pipeline("b"),
            pipeline("late", 11, deployment_status="Provisioning"),
            pipeline("later", 370, deployment_status="Bootstrapping"),
            pipeline("soon", 2, deployment_status="Provisioning"),
            pipeline("x"),
            pipeline("z"),
        ).pipelines,
        alerts,
        NOW,
    )
    assert [line.name for line in shown] == ["x", "z", "a", "later", "late", "soon", "b", "c"]


def test_the_order_stays_while_nothing_happens() -> None:
    """The order by the time left does not change with time, also with different limits."""
    both = fleet(
        pipeline("big", 12.1, deployment_status="Provisioning"),
        pipeline("small", 6.05, deployment_status="Unavailable"),
    ).pipelines
    orders = [[line.name for line in lines(both, (), NOW + 60_000_000 * n)] for n in range(100)]
    assert orders == [["big", "small"]] * 100
