"""The shipped rules are the table's, load in Prometheus, and do what the scenarios say."""

import re
from collections.abc import Iterable
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import Final

import pytest
import yaml

from feldera_exporter.feldera.vocabulary import DIMENSIONS
from feldera_exporter.rules.documents import documents
from feldera_exporter.rules.model import Pace
from feldera_exporter.rules.recordings import recordings
from feldera_exporter.rules.rendering import rules
from feldera_exporter.rules.table import ALERTS, NAMES
from rules.generate import FOLDER, ROOT, files, scenarios
from rules.matrix import DECISIONS, PAIRS, Pair
from rules.promtool import document, run
from rules.reach import fed, graver, names, reach
from rules.scenarios import Scenario
from rules.silent import SILENT
from tools import THOROUGH

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
def test_scenarios(name: str, tmp_path: Path) -> None:
    """Exactly the expected alerts fire at every instant of every scenario.

    A quick run leaves out the rules to which nothing is shown: most of what promtool does is to read them.
    """
    path = FOLDER / f"{name}.yml"
    if not THOROUGH:
        path = quick(path, tmp_path)
    verdict = run("test", "rules", path)
    assert verdict.passed, verdict.words


def quick(path: Path, folder: Path) -> Path:
    """Return a test file with the rules that can give anything in it."""
    text = path.read_text(encoding="utf-8")
    known = fed(set(re.findall(r"series: '([\w:]+)", text)))
    content = yaml.load(RULES.read_text(encoding="utf-8"), yaml.CSafeLoader)
    for group in content["groups"]:
        group["rules"] = [rule for rule in group["rules"] if {rule.get("alert"), rule.get("record")} & known]
    (folder / "rules.yml").write_text(yaml.dump(content, Dumper=yaml.CSafeDumper), encoding="utf-8")
    copy = folder / path.name
    copy.write_text(text.replace("../feldera.rules.yml", "rules.yml"), encoding="utf-8")
    return copy


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


def test_prompt_rules_wait_for_no_slow_one() -> None:
    """What is evaluated every quarter of a minute reads nothing that is as old as a whole one."""
    slow = {recording.name for recording in recordings() if recording.pace is Pace.SLOW}
    prompt = {recording.name: recording.expression for recording in recordings()}
    read = {name: names(text) for name, text in prompt.items() if name not in slow}
    read |= {alert.name: reach(alert) for alert in ALERTS if alert.pace is Pace.PROMPT}
    assert slow
    assert {name: found & slow for name, found in read.items() if found & slow} == {}


def test_an_alert_yields_to_one_above_it() -> None:
    """Of the same pace, and about the same thing: else it would follow an evaluation later, or hide too much."""
    places = {alert.name: place for place, alert in enumerate(ALERTS)}
    for alert in ALERTS:
        for other in graver(alert):
            assert places[other.name] < places[alert.name]
            assert (other.pace, other.scope) == (alert.pace, alert.scope)
    assert {alert.yields_to for alert in ALERTS} <= NAMES | {""}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_for_survives_restarts(alert: object) -> None:
    """A `for` is at most two minutes or at least ten: one between is neither restored nor short enough for the lease."""
    duration = getattr(alert, "for_", "")
    minutes = int(duration[:-1]) * {"m": 1, "h": 60, "d": 1440}[duration[-1]] if duration else 0
    assert minutes <= 2 or minutes >= 10


def test_annotations_expand(tmp_path: Path) -> None:
    """Every description and address expands without an error or an empty value."""
    content = yaml.load(
        document(str(RULES), map(soonest, scenarios(), scenarios().values())), yaml.CSafeLoader
    )
    for test in content["tests"]:
        # None of them is expected, and so promtool shows each as it is.
        test["alert_rule_test"] = [
            {"eval_time": asked["eval_time"], "alertname": name, "exp_alerts": []}
            for asked in test.pop("promql_expr_test")
            for name in re.findall(r'alertname="(\w+)"', str(asked["exp_samples"]))
        ]
    path = tmp_path / "annotations.yml"
    path.write_text(yaml.dump(content, Dumper=yaml.CSafeDumper), encoding="utf-8")
    words = run("test", "rules", path).words
    shown = re.findall(r'Labels:\{alertname="(\w+)"', words)
    assert set(shown) == NAMES
    assert len(re.findall(r'Annotations:\{.*?description="[^"]', words)) == len(shown)
    assert re.findall(r"<no value>|error expanding|\{\{", words) == []
    assert "error code RunnerCheckError" in words


def soonest(name: str, known: Iterable[Scenario]) -> Scenario:
    """Return the scenario in which an alert fires soonest, up to then; the watchdog does in any."""
    firing = ((at, scene) for scene in known for at, fired in scene.expected.items() if name in dict(fired))
    at, scene = min(firing, key=itemgetter(0), default=(0, SILENT))
    return replace(scene, expected={at: scene.expected[at]})
