"""The tests in `alerts/tests` pass with every installed program that runs such tests."""

import re
from pathlib import Path

import pytest
import yaml

from feldera_exporter.problems.table import INSTANCE_PROBLEMS, PIPELINE_PROBLEMS
from feldera_exporter.rules.alert_names import NAMES
from feldera_exporter.rules.exporter_alerts import EXPORTER_ALERTS
from support.rule_engines import RULES, TESTS, RuleTester, engines, loaded, run
from support.tools import ROOT, tool

FILES = sorted(TESTS.glob("*.yml"))


@pytest.mark.parametrize("engine", engines(), ids=lambda engine: engine.name)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_file(file: Path, engine: RuleTester, tmp_path: Path) -> None:
    """Exactly the expected alerts fire at every time that is looked at."""
    verdict = engine.test(file, tmp_path)
    assert verdict.passed, verdict.output


@pytest.mark.parametrize("engine", engines(), ids=lambda engine: engine.name)
def test_a_mistake_is_found(engine: RuleTester, tmp_path: Path) -> None:
    """A rule test with a wrong expectation fails."""
    head, first, *_ = (TESTS / "exporter.yml").read_text("utf-8").split("\n  - name: ")
    file = tmp_path / "wrong.yml"
    file.write_text(f"{head}\n  - name: {first.replace('critical', 'warning')}\n", encoding="utf-8")
    (tmp_path / "rewritten").mkdir()
    assert not engine.test(file, tmp_path / "rewritten").passed
    file.write_text(f"{head}\n  - name: {first}\n", encoding="utf-8")
    assert engine.test(file, tmp_path / "rewritten").passed


def test_a_person_can_read_them() -> None:
    """The tests are short, and no line is longer than a screen is wide."""
    lines = [line for file in FILES for line in file.read_text("utf-8").splitlines()]
    assert len(lines) <= 1500
    assert max(map(len, lines)) <= 140


def test_series_are_text() -> None:
    """A `0x8` has quotes, as some readers of YAML take it for a number."""
    for file in FILES:
        for test in loaded(file)["tests"]:
            assert {type(each["values"]) for each in test["input_series"]} == {str}


def test_every_alert_of_the_exporter_is_tried() -> None:
    """Each alert has a test that is named after it; of the problems some of each scope."""
    names = re.findall(r"(Feldera\w+)", " ".join(re.findall(r"- name:(.*?)interval:", _texts(), re.DOTALL)))
    assert set(EXPORTER_ALERTS) <= set(names)
    asked = set(re.findall(r'problem="(\w+)"', _texts()))
    assert asked & PIPELINE_PROBLEMS.keys()
    assert asked & INSTANCE_PROBLEMS.keys()
    assert asked <= {*PIPELINE_PROBLEMS, *INSTANCE_PROBLEMS}


def test_lint() -> None:
    """The linter of promtool has no complaints about the rules."""
    verdict = run(tool("promtool"), "check", "rules", "--lint=all", "--lint-fatal", RULES)
    assert verdict.passed, verdict.output
    assert f"SUCCESS: {len(NAMES) + 1} rules found" in verdict.output


def _texts() -> str:
    return "\n".join(file.read_text("utf-8") for file in FILES)


def test_the_examples_of_your_own_rules(tmp_path: Path) -> None:
    """The two examples of the page load, and fire for the right pipelines."""
    page = (ROOT / "alerts/README.md").read_text("utf-8").partition("## Your own rules")[2]
    written = [
        rule for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) for rule in yaml.safe_load(block)
    ]
    (tmp_path / "own.yml").write_text(
        yaml.safe_dump({"groups": [{"name": "own", "rules": written}]}), "utf-8"
    )
    names = {"late": "payments", "early": "other"}
    series = {
        'deployment_status{%s, status="Provisioning"}': (1, 1),
        "deployment_status_since_timestamp_seconds{%s}": (-600, -60),
        "deployment_status_limit_seconds{%s}": (300, 300),
        "deployment_has_error{%s}": (1, 1),
        'info{%s, team="%s"}': (1, 1),
    }
    own = {
        name: f'feldera_instance="prod", pipeline="pipeline-{name}", pipeline_name="{name}"' for name in names
    }
    shown = {
        f"feldera_pipeline_{text.replace('%s', own[name], 1).replace('%s', team)}": str(values[place])
        for text, values in series.items()
        for place, (name, team) in enumerate(names.items())
    }
    expected = [
        {"value": 1, "labels": f'{{alertname="{alert}"}}'}
        for alert in ("MyPipelineHasError", "MyPipelineStuckProvisioning")
    ]
    test = {
        "rule_files": ["own.yml"],
        "tests": [
            {
                "input_series": [{"series": key, "values": value} for key, value in shown.items()],
                "promql_expr_test": [
                    {
                        "expr": 'count by (alertname) (ALERTS{pipeline_name="late"})',
                        "eval_time": "0s",
                        "exp_samples": expected,
                    },
                    {"expr": 'ALERTS{pipeline_name="early"}', "eval_time": "0s"},
                ],
            }
        ],
    }
    file = tmp_path / "test.yml"
    file.write_text(yaml.safe_dump(test), "utf-8")
    verdict = run(tool("promtool"), "test", "rules", file)
    assert verdict.passed, verdict.output
