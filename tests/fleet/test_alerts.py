"""What a pipeline's state makes fire is what the rules make fire."""

from typing import Any

import pytest

from feldera_exporter.config import AlertChoice
from feldera_exporter.feldera.vocabulary import DEPLOYMENT, PROGRAM
from feldera_exporter.fleet.alerts import by_state
from fleets import NOW, ago, pipeline
from rules.matrix import DECISIONS

LONG = 12 * 60
"""Minutes for which the rules' own matrix holds each status."""


def names(minutes: float = LONG, clearing: float = 0, **fields: Any) -> set[str]:
    """Return the names of the alerts that a pipeline makes fire."""
    return {alert.name for alert in by_state(pipeline("x", minutes, clearing, **fields), {}, NOW)}


@pytest.mark.parametrize("status", DEPLOYMENT.statuses)
def test_a_deployment_status_fires_as_the_rules_do(status: str) -> None:
    """Held for twelve hours, with the desired status that the rules' matrix gives it."""
    desired = status if status in {"Stopped", "Standby", "Paused", "Unavailable"} else "Running"
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
        ({"deployment_status": "Stopped", "program_status": "SqlError"}, {"FelderaPipelineCompileFailed"}),
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
    assert [alert.severity for alert in by_state(failed, {}, NOW)] == ["critical"]
    assert [alert.severity for alert in by_state(plain, {}, NOW)] == ["warning"]
    assert [a.severity for a in by_state(failed, {name: AlertChoice(severity="info")}, NOW)] == ["info"]
    assert by_state(failed, {name: AlertChoice(enabled=False)}, NOW) == ()
