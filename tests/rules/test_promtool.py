"""The tests in `alerts/tests`, which people read, pass with every program at hand that runs such tests."""

import re
from pathlib import Path

import pytest

from feldera_exporter.problems.table import INSTANCE_PROBLEMS, PIPELINE_PROBLEMS
from feldera_exporter.rules.exporter_alerts import EXPORTER_ALERTS
from rules.engines import RULES, TESTS, Engine, engines, run
from tools import tool

FILES = sorted(TESTS.glob("*.yml"))


@pytest.mark.parametrize("engine", engines(), ids=lambda engine: engine.name)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_file(file: Path, engine: Engine, tmp_path: Path) -> None:
    """Exactly the expected alerts fire at every time that is looked at."""
    verdict = engine.test(file, tmp_path)
    assert verdict.passed, verdict.words


@pytest.mark.parametrize("engine", engines(), ids=lambda engine: engine.name)
def test_a_mistake_is_found(engine: Engine, tmp_path: Path) -> None:
    """A test that expects something else fails."""
    text = (TESTS / "exporter.yml").read_text("utf-8").replace("../feldera.rules.yml", str(RULES))
    head, *tests = text.partition("\n  - name: ")[::2]
    first = tests[0].partition("\n  - name: ")[0]
    file = tmp_path / "wrong.yml"
    file.write_text(f"{head}\n  - name: {first.replace('critical', 'warning')}\n", encoding="utf-8")
    (tmp_path / "vmalert").mkdir()
    assert not engine.test(file, tmp_path / "vmalert").passed
    file.write_text(f"{head}\n  - name: {first}\n", encoding="utf-8")
    assert engine.test(file, tmp_path / "vmalert").passed


def test_a_person_can_read_them() -> None:
    """They are short, and no line is longer than a screen is wide."""
    lines = [line for file in FILES for line in file.read_text("utf-8").splitlines()]
    assert len(lines) <= 1500
    assert max(map(len, lines)) <= 140


def test_every_alert_of_the_exporter_is_tried() -> None:
    """Each has a test that is named after it; of the problems, which share one pattern, some of each scope."""
    names = re.findall(r"(Feldera\w+)", " ".join(re.findall(r"- name:(.*?)interval:", _texts(), re.DOTALL)))
    assert set(EXPORTER_ALERTS) <= set(names)
    asked = set(re.findall(r'problem="(\w+)"', _texts()))
    assert asked & PIPELINE_PROBLEMS.keys()
    assert asked & INSTANCE_PROBLEMS.keys()
    assert asked <= {*PIPELINE_PROBLEMS, *INSTANCE_PROBLEMS}


def test_lint() -> None:
    """Promtool's lint has nothing to say about the rules."""
    verdict = run(tool("promtool"), "check", "rules", "--lint=all", "--lint-fatal", RULES)
    assert verdict.passed, verdict.words
    assert "SUCCESS: 47 rules found" in verdict.words


def _texts() -> str:
    return "\n".join(file.read_text("utf-8") for file in FILES)
