"""Generated files agree with the tables, and what a new row lacks is named."""

from types import MappingProxyType

import pytest

import generate
from feldera_exporter.problems.table import PIPELINE_PROBLEMS
from feldera_exporter.rules.alert_names import NAMES
from support.dashboards import BOARDS


def test_the_files_are_as_generated(capsys: pytest.CaptureFixture[str]) -> None:
    """Pages of the documentation, rules and boards are as generated."""
    assert generate.main(["--check"]) == 0, capsys.readouterr().err
    names = {path.name for path in generate.files()}
    assert names == {
        "configuration.md",
        "metrics.md",
        "feldera.rules.yml",
        "prometheusrule.yaml",
        "README.md",
        *(f"{name}.json" for name in BOARDS),
    }


def test_a_file_that_is_not_as_generated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such a file is named, with what to do."""
    path = generate.ROOT / "docs/metrics.md"
    monkeypatch.setattr(generate, "files", lambda: {path: "other\n"})
    assert generate.main(["--check"]) == 1
    said = capsys.readouterr().err
    assert "docs/metrics.md: is not what the tables say: run make docs\n" in said
    assert "config/grafana/dashboards/fleet.json: nothing generates it\n" in said


def test_a_row_without_its_page(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is written until the page exists."""
    monkeypatch.setattr(generate, "NAMES", NAMES | {"FelderaPipelineNew"})
    monkeypatch.setattr(generate, "files", lambda: {generate.ROOT / "never/written": ""})
    assert generate.main([]) == 1
    assert capsys.readouterr().err == (
        "alerts/runbooks/FelderaPipelineNew.md: there is no such page, and the alert FelderaPipelineNew needs it\n"
    )


def test_a_page_without_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page without a row is an error."""
    monkeypatch.setattr(generate, "NAMES", NAMES - {"FelderaWatchdog"})
    assert list(generate.lacking()) == ["alerts/runbooks/FelderaWatchdog.md: there is no alert of that name"]


def test_a_status_whose_problem_has_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each such status is named."""
    known = {name: row for name, row in PIPELINE_PROBLEMS.items() if name != "StuckStopping"}
    monkeypatch.setattr(generate, "PIPELINE_PROBLEMS", MappingProxyType(known))
    assert set(generate.lacking()) == {
        "feldera/statuses.py: Stopping names the problem StuckStopping, which problems/table.py lacks"
    }
