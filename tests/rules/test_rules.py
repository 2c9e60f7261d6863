"""The shipped rules are the table's, load in Prometheus, and do what the scenarios say."""

import re
from pathlib import Path
from typing import Final

import pytest
import yaml

from feldera_exporter.feldera.vocabulary import DIMENSIONS
from feldera_exporter.rules.documents import documents
from feldera_exporter.rules.rendering import rules
from feldera_exporter.rules.table import ALERTS, NAMES
from rules.generate import FOLDER, ROOT, files, scenarios
from rules.matrix import DECISIONS, PAIRS, Pair
from rules.promtool import document, run

RULES: Final = ROOT / "alerts/feldera.rules.yml"
TESTS: Final = tuple(sorted(path.stem for path in FOLDER.glob("*.yml")))


@pytest.mark.parametrize("path", sorted(documents()))
def test_committed_output(path: str) -> None:
    """The committed rule files and list are what the table gives now; `python -m feldera_exporter.rules` writes them."""
    assert (ROOT / path).read_text(encoding="utf-8") == documents()[path]


def test_committed_tests() -> None:
    """The committed test files are what the scenarios give now; `python tests/rules/generate.py` writes them."""
    given = dict(files())
    assert {path.name for path in FOLDER.glob("*.yml")} == set(given)
    assert [name for name, text in given.items() if (FOLDER / name).read_text(encoding="utf-8") != text] == []


@pytest.mark.parametrize("name", TESTS)
def test_scenarios(name: str) -> None:
    """Exactly the expected alerts fire at every instant of every scenario."""
    verdict = run("test", "rules", FOLDER / f"{name}.yml")
    assert verdict.passed, verdict.words


def test_lint() -> None:
    """Promtool's lint has nothing to say."""
    verdict = run("check", "rules", "--lint=all", "--lint-fatal", RULES)
    assert verdict.passed, verdict.words
    assert "SUCCESS" in verdict.words


def test_every_alert_has_scenarios() -> None:
    """No alert is without scenarios in which it fires."""
    fires = {
        name: any(
            name == alert for known in scenes for fired in known.expected.values() for alert, _ in fired
        )
        for name, scenes in scenarios().items()
    }
    fires["FelderaWatchdog"] = True  # every scenario expects it
    assert fires == dict.fromkeys(NAMES, True)


def test_every_status_is_decided() -> None:
    """Every known status of every dimension raises an alert when it lasts or is listed as fine, and none is left over."""
    known = {dimension.name: set(dimension.statuses) for dimension in DIMENSIONS}
    assert {name: set(decisions) for name, decisions in DECISIONS.items()} == known


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.desired}/{pair.actual}/{pair.program}")
def test_every_pair_is_decided(pair: Pair) -> None:
    """A desired and an actual status either raise an alert when they last, or it is said why nobody need be told."""
    assert bool(pair.alerts) is (pair.fine is None)


def test_operator_carries_the_same_groups() -> None:
    """The PrometheusRule holds what the rule file holds."""
    manifest = yaml.safe_load(rules("operator"))
    assert manifest["kind"] == "PrometheusRule"
    assert manifest["spec"] == yaml.safe_load(rules("prometheus"))


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_for_survives_restarts(alert: object) -> None:
    """A `for` is at most two minutes or at least ten: one between is neither restored nor short enough for the lease."""
    duration = getattr(alert, "for_", "")
    minutes = int(duration[:-1]) * {"m": 1, "h": 60, "d": 1440}[duration[-1]] if duration else 0
    assert minutes <= 2 or minutes >= 10


def test_annotations_expand(tmp_path: Path) -> None:
    """Every description and address expands without an error or an empty value."""
    tests = []
    for name, known in scenarios().items():
        at = next(
            (
                at
                for scene in known[:1]
                for at, fired in scene.expected.items()
                if any(a == name for a, _ in fired)
            ),
            0,
        )
        text = yaml.load(document(str(RULES), known[:1]), Loader=yaml.CSafeLoader)["tests"][0]
        wanted = {"eval_time": f"{at}s", "alertname": name, "exp_alerts": []}
        tests.append(text | {"promql_expr_test": [], "alert_rule_test": [wanted]})
    path = tmp_path / "annotations.yml"
    path.write_text(
        yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "15s", "tests": tests}),
        encoding="utf-8",
    )
    words = run("test", "rules", path).words
    assert set(re.findall(r"alertname: (\w+)", words)) == NAMES
    assert words.count('description="') == len(NAMES)
    assert re.findall(r"<no value>|error expanding|\{\{", words) == []
    assert "error code RunnerCheckError" in words
