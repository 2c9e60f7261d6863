"""Beside a whole real exposition exactly the expected alerts fire, whatever befalls those who watch."""

from pathlib import Path

from rules.generate import ROOT
from rules.promtool import document, run
from rules.whole import whole
from tools import THOROUGH


def test_exactly_what_is_expected_fires(tmp_path: Path) -> None:
    """Of all alerts, with no family left out; a quick run looks at every other trouble."""
    path = tmp_path / "whole.yml"
    scenarios = whole()[:: 1 if THOROUGH else 2]
    path.write_text(document(str(ROOT / "alerts/feldera.rules.yml"), scenarios), encoding="utf-8")
    verdict = run("test", "rules", path)
    assert verdict.passed, verdict.words
