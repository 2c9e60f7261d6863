"""What a pipeline's state and what it did lately make fire is what the rules make fire."""

import math
import re
from dataclasses import replace
from typing import Any

import pytest

from feldera_exporter.config import AlertChoice
from feldera_exporter.feldera.vocabulary import DEPLOYMENT, PROGRAM
from feldera_exporter.fleet.alerts import OFTEN, Often, firing
from feldera_exporter.fleet.lately import Deeds, Step
from feldera_exporter.rules.table import ALERTS
from fleets import NOW, ago, pipeline
from rules.matrix import DECISIONS

LONG = 12 * 60
"""Minutes for which the rules' own matrix holds each status."""


def names(minutes: float = LONG, clearing: float = 0, **fields: Any) -> set[str]:
    """Return the names of the alerts that a pipeline makes fire."""
    return {alert.name for alert in firing(pipeline("x", minutes, clearing, **fields), (), {}, NOW)}


@pytest.mark.parametrize("status", DEPLOYMENT.statuses)
def test_a_deployment_status_fires_as_the_rules_do(status: str) -> None:
    """Held for twelve hours, with the desired status that the rules' matrix gives it."""
    desired = status if status in {"Stopped", "Standby", "Paused", "Unavailable", "Suspended"} else "Running"
    desired = "Stopped" if status == "Stopping" else desired
    decision = DECISIONS["deployment_status"][status]
    expected = {decision} if isinstance(decision, str) else set()
    assert names(deployment_status=status, deployment_desired_status=desired) == expected


@pytest.mark.parametrize("status", PROGRAM.statuses)
def test_a_program_status_fires_as_the_rules_do(status: str) -> None:
    """While the pipeline is stopped on purpose."""
    stopped: dict[str, Any] = {"deployment_status": "Stopped", "deployment_desired_status": "Stopped"}
    decision = DECISIONS["program_status"][status]
    expected = {decision} if isinstance(decision, str) else set()
    assert names(program_status=status, **stopped) == expected
    assert names(0.5, program_status=status, **stopped) == set()


@pytest.mark.parametrize(
    ("minutes", "fields", "expected"),
    [
        (16, {"storage_status": "Clearing"}, {"FelderaPipelineStorageClearingStuck"}),
        (14, {"storage_status": "Clearing"}, set()),
    ],
)
def test_storage_that_is_not_cleared(minutes: float, fields: dict[str, Any], expected: set[str]) -> None:
    """The history tells since when it is being cleared."""
    assert names(5, minutes, **fields) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"deployment_status": "Stopped"}, {"FelderaPipelineStartPending"}),
        ({"deployment_status": "Stopped", "program_status_since": ago(1)}, set()),
        (
            {"deployment_status": "Stopped", "program_status": "SqlError"},
            {"FelderaPipelineCompileFailed", "FelderaPipelineDesiredDrift"},
        ),
        ({"deployment_status": "Paused"}, {"FelderaPipelineDesiredDrift"}),
        ({"deployment_status": "Paused", "deployment_desired_status_since": ago(1)}, set()),
        ({"deployment_status": "Unheard"}, {"FelderaPipelineDesiredDrift"}),
        ({"deployment_error": {"error_code": "E"}}, {"FelderaPipelineDeploymentError"}),
    ],
)
def test_desired_and_actual(fields: dict[str, Any], expected: set[str]) -> None:
    """What was asked for and does not come."""
    assert names(**fields) == expected


def test_a_pipeline_that_is_expected_to_run() -> None:
    """Its tag says so; ten minutes are allowed."""
    stopped: dict[str, Any] = {
        "deployment_status": "Stopped",
        "deployment_desired_status": "Stopped",
        "tags": ["expect:running"],
    }
    assert names(11, **stopped) == {"FelderaPipelineUnexpectedlyStopped"}
    assert names(9, **stopped) == set()


def test_the_configuration_has_the_last_word() -> None:
    """It switches alerts off and changes their severity; a critical tier makes an error critical."""
    failed = pipeline("x", deployment_error={"error_code": "E"}, tags=["tier:critical"])
    plain = pipeline("x", deployment_error={"error_code": "E"})
    name = "FelderaPipelineDeploymentError"
    assert [alert.severity for alert in firing(failed, (), {}, NOW)] == ["critical"]
    assert [alert.severity for alert in firing(plain, (), {}, NOW)] == ["warning"]
    assert [a.severity for a in firing(failed, (), {name: AlertChoice(severity="info")}, NOW)] == ["info"]
    assert firing(failed, (), {name: AlertChoice(enabled=False)}, NOW) == ()


MINUTE = 60_000_000


def counted(*steps: tuple[float, Deeds], **fields: Any) -> list[str]:
    """Return the names of the alerts that what a pipeline did at some minutes before now makes fire."""
    told = tuple(Step(NOW - round(minutes * MINUTE), deeds) for minutes, deeds in steps)
    return [alert.name for alert in firing(pipeline("x", **fields), told, {}, NOW)]


@pytest.mark.parametrize(
    ("fewer", "more", "expected"),
    [
        (Deeds(errors=2), Deeds(errors=3), "FelderaPipelineCrashLooping"),
        (
            Deeds(initializations=9, starts=7),
            Deeds(initializations=9, starts=6),
            "FelderaPipelineCrashLooping",
        ),
        (Deeds(stops=5), Deeds(stops=6), "FelderaPipelineFlapping"),
        (Deeds(losses=7), Deeds(losses=8), "FelderaPipelineRuntimeFlapping"),
        (Deeds(recompilations=2), Deeds(recompilations=3), "FelderaPipelineCompileLooping"),
    ],
)
def test_what_happens_too_often_within_an_hour(fewer: Deeds, more: Deeds, expected: str) -> None:
    """Once more than may be, however it is spread; what is older does not count."""
    assert counted((30, fewer)) == []
    assert counted((30, more)) == [expected]
    assert counted((61, more)) == []
    rest = Deeds(*(after - before for before, after in zip(fewer, more, strict=True)))
    assert counted((59, fewer), (1, rest)) == [expected]


def test_an_error_that_comes_back() -> None:
    """Twice within ten minutes is one that lasts, though something dismissed it; else it is none any more."""
    once = Deeds(errors=1)
    assert counted((9, once), (1, once)) == ["FelderaPipelineDeploymentError"]
    assert counted((11, once), (1, once)) == []
    error = {"deployment_error": {"error_code": "E"}}
    assert counted((9, once), (1, once), **error) == ["FelderaPipelineDeploymentError"]


def test_a_pipeline_that_is_away_most_of_the_time() -> None:
    """Of the last quarter of an hour; the present absence counts as long as it lasts."""
    away = Deeds(unavailable=4 * MINUTE)
    assert counted((8, away)) == []
    assert counted((8, away), (1, away)) == ["FelderaPipelineUnavailable"]
    now = {"deployment_status": "Unavailable", "deployment_runtime_status": "Unavailable"}
    since = {"minutes": 4, "clearing": 4}
    assert counted((8, away), **now, **since) == ["FelderaPipelineUnavailable"]
    assert counted((8, Deeds(unavailable=3 * MINUTE)), **now, **since) == []
    assert counted(**now, **since) == []
    stopped = {"deployment_status": "Stopped", "deployment_desired_status": "Stopped"}
    assert counted((8, away), (1, away), **stopped) == []


@pytest.mark.parametrize(("limit", "fires"), [(math.inf, False), (420.0, True), (450.0, False)])
def test_a_pipeline_that_may_be_away_for_longer(limit: float, *, fires: bool) -> None:
    """Its own limit, and a tenth more, is the least; none switches it off."""
    away = Deeds(unavailable=4 * MINUTE)
    told = (Step(NOW - 8 * MINUTE, away), Step(NOW - MINUTE, away))
    known = pipeline("x")
    limits = replace(known.facts.limits, unavailable=limit)
    shown = firing(replace(known, facts=replace(known.facts, limits=limits)), told, {}, NOW)
    assert [alert.name for alert in shown] == ["FelderaPipelineUnavailable"] * fires


def test_an_alert_yields_to_the_graver_one() -> None:
    """As in the rules: what flaps because it crashes, crashes; unless nobody wants to hear of that."""
    told = (Step(NOW - MINUTE, Deeds(errors=3, stops=9, losses=9)),)
    crash = "FelderaPipelineCrashLooping"
    off = {crash: AlertChoice(enabled=False)}
    names = [alert.name for alert in firing(pipeline("x"), told, {}, NOW)]
    assert names == ["FelderaPipelineDeploymentError", crash]
    left = [alert.name for alert in firing(pipeline("x"), told, off, NOW)]
    assert left == [
        "FelderaPipelineDeploymentError",
        "FelderaPipelineFlapping",
        "FelderaPipelineRuntimeFlapping",
    ]


@pytest.mark.parametrize("often", OFTEN, ids=lambda often: f"{often.alert}-{often.seconds}")
def test_the_rules_count_the_same(often: Often) -> None:
    """Within the same time, to the same number."""
    (alert,) = [alert for alert in ALERTS if alert.name == often.alert]
    assert f"[{often.seconds // 60}m]" in alert.condition.replace("[1h]", "[60m]")
    assert f"{often.most:g}" in re.findall(r"(?<=[>,] )[0-9.]+", alert.condition)
