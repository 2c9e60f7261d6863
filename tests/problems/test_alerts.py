"""Alerts are the present problems, with the severities that the configuration chose."""

from feldera_exporter.config import AlertChoice
from feldera_exporter.problems.alerts import PresentAlert, alerts
from feldera_exporter.problems.evaluate import Occurrence

PROBLEMS = {
    Occurrence("DeploymentError", "", "id-of-etl", "etl", (("tier", "critical"),)): 7,
    Occurrence("StuckStopping", "Stopping", "id-of-etl", "etl"): 8,
    Occurrence("CompilerUnhealthy", "compiler"): 9,
}


def test_each_problem_is_an_alert() -> None:
    """An alert has the problem's name and the table's severity."""
    assert list(alerts(PROBLEMS, {})) == [
        PresentAlert("FelderaPipelineDeploymentError", "critical", "id-of-etl", "", 7),
        PresentAlert("FelderaPipelineStuckStopping", "warning", "id-of-etl", "Stopping", 8),
        PresentAlert("FelderaCompilerUnhealthy", "warning", "", "compiler", 9),
    ]


def test_the_configuration_has_the_last_word() -> None:
    """The configuration changes severities; other settings leave them."""
    choices = {
        "FelderaPipelineDeploymentError": AlertChoice(severity="info"),
        "FelderaPipelineStuckStopping": AlertChoice(labels={"route": "night"}),
    }
    assert [alert.severity for alert in alerts(PROBLEMS, choices)] == ["info", "warning", "warning"]
