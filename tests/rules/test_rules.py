"""The shipped rules are generated from the tables, short, and in PromQL that every engine evaluates alike."""

import re
from collections import Counter
from typing import Any, Final

import pytest
import yaml

from feldera_exporter.config.validators import RESERVED_LABELS
from feldera_exporter.metrics.catalogue import catalogue
from feldera_exporter.problems.model import SEVERITIES, Problem
from feldera_exporter.problems.table import (
    INSTANCE_PROBLEMS,
    PIPELINE_PROBLEMS,
    instance_alert,
    pipeline_alert,
)
from feldera_exporter.rules.alert_names import NAMES, SECTIONS
from feldera_exporter.rules.exporter_alerts import EXPORTER_ALERTS, TRUSTED
from feldera_exporter.rules.rendering import expressions
from feldera_exporter.telemetry import Telemetry
from reference.alerts_page import ALERTS
from support.rule_engines import RULES
from support.tools import ROOT

GROUPS: Final[list[dict[str, Any]]] = yaml.load(RULES.read_text("utf-8"), Loader=yaml.CSafeLoader)["groups"]
EVERY: Final[list[dict[str, Any]]] = [rule for group in GROUPS for rule in group["rules"]]
BY_ALERT: Final = {rule["alert"]: rule for rule in EVERY if "alert" in rule}
PROBLEMS: Final[dict[str, Problem[Any]]] = {
    **{pipeline_alert(name): row for name, row in PIPELINE_PROBLEMS.items()},
    **{instance_alert(name): row for name, row in INSTANCE_PROBLEMS.items()},
}
PIPELINE: Final = ("feldera_instance", "pipeline", "pipeline_name")
TARGET: Final = ("job", "instance")

_NAME: Final = re.compile(r"\bfeldera_(?!instance\b|service\b)[a-z_]+\b")
_LABELS: Final = re.compile(r"\b(?:by|on|without|ignoring) \(([^)]*)\)")
_MATCHER: Final = re.compile(r"([a-z_]+)\s*(?:=~|!~|!=|=)")


def test_operator_carries_the_same_groups() -> None:
    """The PrometheusRule has the same groups as the rule file."""
    manifest = yaml.safe_load((ROOT / "alerts/prometheusrule.yaml").read_text("utf-8"))
    assert manifest["kind"] == "PrometheusRule"
    assert manifest["spec"] == {"groups": GROUPS}


def test_size() -> None:
    """The file is short enough to read, and no group has more than 20 rules, the limit of Mimir and Grafana Cloud."""
    assert len(RULES.read_text("utf-8").splitlines()) <= 14 * len(EVERY)
    assert max(len(group["rules"]) for group in GROUPS) <= 20


def test_one_recording() -> None:
    """There is one recording rule, which reads the exporter's metrics only."""
    [recording] = [rule for rule in EVERY if "record" in rule]
    assert recording["record"] == TRUSTED
    assert TRUSTED not in recording["expr"]


def test_one_alert_for_each_name() -> None:
    """No name is used twice, as two severities of one name could inhibit each other."""
    names = Counter(rule["alert"] for rule in EVERY if "alert" in rule)
    assert set(names.values()) == {1}
    assert set(names) == NAMES == set(ALERTS)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_severity(name: str) -> None:
    """Each severity is constant, known, and the one of the documentation."""
    assert BY_ALERT[name]["labels"] == {"severity": ALERTS[name].severity}
    assert ALERTS[name].severity in {*SEVERITIES, "none"}


@pytest.mark.parametrize("name", sorted(PROBLEMS))
def test_a_problem_has_one_rule_by_the_pattern(name: str) -> None:
    """Its alert reads the family of its scope, that problem alone, and has no `for`."""
    rule, row = BY_ALERT[name], PROBLEMS[name]
    scope, labels = (
        ("pipeline", "feldera_instance, pipeline, pipeline_name, status, team, tier")
        if row.name in PIPELINE_PROBLEMS
        else ("instance", "feldera_instance, feldera_service")
    )
    assert (
        rule["expr"].split()
        == (
            f"max by ({labels}) ( "
            f'last_over_time(feldera_{scope}_problem_since_timestamp_seconds{{problem="{row.name}"}}[3m]) '
            "and on (job, instance, feldera_instance) feldera:exporter:trusted ) > 0"
        ).split()
    )
    assert "for" not in rule


def test_every_problem_has_one_runbook() -> None:
    """Each problem has one runbook, and each runbook an alert."""
    pages = {path.stem for path in (ROOT / "alerts/runbooks").glob("*.md")} - {"README"}
    assert pages == NAMES
    for name in NAMES:
        assert BY_ALERT[name]["annotations"]["runbook_url"] == f"http://localhost:10058/runbooks/{name}"


def test_every_alert_is_listed_once() -> None:
    """Every alert is under exactly one heading of the documentation."""
    assert Counter(name for names in SECTIONS.values() for name in names) == Counter(NAMES)


@pytest.mark.parametrize("rule", EVERY, ids=lambda rule: rule.get("alert", rule.get("record")))
def test_plain_promql(rule: dict[str, Any]) -> None:
    """No rule uses a job's name, `ALERTS`, or what engines evaluate differently."""
    expression = rule["expr"]
    assert re.findall(r"\b(job|instance|namespace|service|pod|container|endpoint)\s*[=!]", expression) == []
    assert re.findall(r"\b(ALERTS|topk|label_replace|group_left|group_right|quantile)\b", expression) == []
    assert re.findall(r"\[[^]]*:", expression) == []  # subqueries


@pytest.mark.parametrize("name", sorted(EXPORTER_ALERTS))
def test_for_survives_restarts_of_prometheus(name: str) -> None:
    """A `for` of ten minutes or more is restored; a shorter one begins again, before Alertmanager forgets the alert."""
    duration = BY_ALERT[name].get("for", "0m")
    minutes = int(duration.removesuffix("m"))
    assert minutes <= 2 or minutes >= 10


def test_ranges_read_over_missed_scrapes() -> None:
    """Only an alert's own subject is read at one instant."""
    bare = {
        rule["alert"]: found
        for rule in EVERY
        if "alert" in rule
        and (
            found := re.findall(
                r"\b(feldera_(?!instance|service)[a-z_]+)(?:\{[^}]*\})?(?![\w{[])", rule["expr"]
            )
        )
    }
    assert bare == {}


def exposed() -> dict[str, frozenset[str]]:
    """Return the labels of every family that the exporter has, by the name under which it is queried."""
    shown, telemetry = catalogue(), Telemetry("", "")
    found = {
        column.family.exposed_name: frozenset({"feldera_instance", *column.family.labels})
        for column in shown.instances
    }
    for column in (*shown.instances, *shown.pipelines):
        found.setdefault(column.family.exposed_name, frozenset({*PIPELINE, *column.family.labels}))
    found |= {each.exposed_name: frozenset(each.labels) for each in telemetry.descriptions}
    return found


def mistakes(promql: str) -> list[str]:
    """Return what PromQL names that the exporter does not expose."""
    families = exposed()
    labels = {label for own in families.values() for label in own} | {*TARGET, "le"}
    named = [re.sub(r"_(?:bucket|sum|count)$", "", name) for name in _NAME.findall(promql)]
    wrong = [name for name in named if name not in families]
    for listed in _LABELS.findall(promql):
        wrong += [label for label in re.findall(r"[a-z_]+", listed) if label not in labels]
    for name, inside in re.findall(r"\b(feldera_[a-z_]+)\{([^}]*)\}", promql):
        known = {*families.get(re.sub(r"_(?:bucket|sum|count)$", "", name), ()), *TARGET, "le"}
        wrong += [f"{name}{{{label}}}" for label in _MATCHER.findall(inside) if label not in known]
    return wrong


@pytest.mark.parametrize("name", sorted(expressions()))
def test_rules_name_what_exists(name: str) -> None:
    """Every family and label of a rule is the exporter's, or a target's."""
    assert mistakes(expressions()[name]) == []


@pytest.mark.parametrize("page", sorted((ROOT / "alerts/runbooks").glob("*.md")), ids=lambda page: page.stem)
def test_runbooks_name_what_exists(page: Any) -> None:
    """Every family and label of a runbook's query is the exporter's, or a target's."""
    blocks = re.findall(r"```promql\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    assert [wrong for block in blocks for wrong in mistakes(block)] == []


@pytest.mark.parametrize(
    ("promql", "wrong"),
    [
        ("feldera_pipeline_nothing", "feldera_pipeline_nothing"),
        ('feldera_up{pipeline="x"}', "feldera_up{pipeline}"),
        ("max by (cluster) (feldera_up)", "cluster"),
    ],
)
def test_mistakes_are_found(promql: str, wrong: str) -> None:
    """The check itself finds a family or a label that does not exist."""
    assert mistakes(promql) == [wrong]


@pytest.mark.parametrize("name", sorted(NAMES))
def test_addresses(name: str) -> None:
    """Values in addresses pass through urlquery, and an alert links to its pipeline's page and board."""
    annotations = BY_ALERT[name]["annotations"]
    urls = {key: text for key, text in annotations.items() if key.endswith("_url")}
    for text in urls.values():
        assert text.count("{{") == text.count("| urlquery }}")
    about_pipeline = name.removeprefix("FelderaPipeline") in PIPELINE_PROBLEMS and name in PROBLEMS
    assert ("pipeline_url" in urls) is about_pipeline


def test_labels_of_rules_are_reserved() -> None:
    """No tag label can have the name of a label of a rule or of a problem's series."""
    own = {
        label
        for scope in ("pipeline", "instance")
        for label in exposed()[f"feldera_{scope}_problem_since_timestamp_seconds"]
    }
    assert own - {"team", "tier"} <= RESERVED_LABELS
