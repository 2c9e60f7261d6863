"""A fleet that is only used raises no alert that anybody would be told of."""

from pathlib import Path

import pytest

from rules.generate import ROOT
from rules.promtool import run
from rules.week import SHORT, WHOLE, Span, week


@pytest.mark.parametrize("span", [SHORT, pytest.param(WHOLE, marks=pytest.mark.long)], ids=["days", "week"])
def test_nobody_is_told(span: Span, tmp_path: Path) -> None:
    """Whatever users do, and through missed scrapes, a restart of the exporter and a short failure of Feldera."""
    path = tmp_path / "week.yml"
    path.write_text(week(span, ROOT / "alerts/feldera.rules.yml", tmp_path / "store"), encoding="utf-8")
    verdict = run("test", "rules", path)
    assert verdict.passed, verdict.words
