"""Rules, their tests, the runbooks and Alertmanager's configuration name only what the exporter and the rules give."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pytest
import yaml

from feldera_exporter.rules.model import Scope
from feldera_exporter.rules.promql import BASE_TAGS, TAGS
from feldera_exporter.rules.recordings import recordings
from feldera_exporter.rules.rendering import expression
from feldera_exporter.rules.table import ALERTS, NAMES
from rules.exposed import TARGET, Exposed, exposed
from rules.generate import FOLDER, ROOT, scenarios
from rules.reach import RECORDINGS, reach
from rules.scenarios import Scenario

_SELECTOR: Final = re.compile(r"\b([a-z][a-z_]*(?::[a-z_]+)*)\{([^}]*)\}")
_MATCHER: Final = re.compile(r'([a-z_]+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_NAME: Final = re.compile(r"\b(?:feldera:[a-z_]+:[a-z_]+|feldera_[a-z_]+)\b")
_LABELS: Final = re.compile(r"\b(?:by|on|without|ignoring|group_left) \(([^)]*)\)")

FAMILIES: Final = exposed()
EXTERNAL: Final = "cluster"
"""The label that a Prometheus of several adds to all its alerts, if there are several."""
SHARDS: Final = {"shard", "shards"}
"""Labels of the recordings about shards: which it is, and of how many."""
ALERT_LABELS: Final = {
    alert.name: {
        "severity",
        "alertname",
        *alert.labels,
        *(BASE_TAGS if alert.scope is Scope.PIPELINE else ()),
    }
    for alert in ALERTS
}
INHIBITIONS: Final[list[dict[str, Any]]] = yaml.safe_load(
    (ROOT / "config/alertmanager.yml").read_text("utf-8")
)["inhibit_rules"]
RANK: Final = {"none": 0, "info": 1, "warning": 2, "critical": 3}


def _promql() -> Iterator[tuple[str, str]]:
    yield from ((recording.name, recording.expression) for recording in recordings())
    yield from ((alert.name, expression(alert, BASE_TAGS)) for alert in ALERTS)
    for page in sorted((ROOT / "alerts/runbooks").glob("*.md")):
        for block in re.findall(r"```promql\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
            yield page.name, block


def _recorded(name: str) -> Exposed:
    statuses = FAMILIES.get(f"feldera_pipeline_{name.removeprefix('feldera:pipeline_').partition(':')[0]}")
    values = (
        statuses.values if statuses and name.endswith(":age_seconds") else {"expect": frozenset({"running"})}
    )
    return Exposed(
        frozenset({"feldera_instance", "pipeline", "pipeline_name", "status", "expect", *SHARDS}),
        values,
        open=name == TAGS,
    )


def mistakes(promql: str) -> Iterator[str]:
    """Yield what an expression names that does not exist."""
    known = set(FAMILIES) | set(RECORDINGS)
    yield from (name for name in _NAME.findall(promql) if name not in known | {"feldera_instance"})
    for name, inside in _SELECTOR.findall(promql):
        if name == "ALERTS" or name not in known:
            continue
        family = FAMILIES.get(name) or _recorded(name)
        for label, sign, text in _MATCHER.findall(inside):
            if label not in family.labels | TARGET and not family.open:
                yield f"{name}{{{label}}}"
            values = family.values.get(label)
            for value in text.split("|") if "~" in sign else (text,):
                if values is not None and value and value not in values:
                    yield f'{name}{{{label}="{value}"}}'
    labels = {label for family in FAMILIES.values() for label in family.labels} | TARGET | SHARDS
    for listed in _LABELS.findall(promql):
        yield from (label for label in re.findall(r"[a-z_]+", listed) if label not in labels)


@pytest.mark.parametrize(("place", "promql"), tuple(_promql()))
def test_names_exist(place: str, promql: str) -> None:
    """Every family, label and closed label value of an expression exists."""
    assert list(mistakes(promql)) == [], place


@pytest.mark.parametrize(
    ("promql", "wrong"),
    [
        ("feldera_pipeline_nothing", "feldera_pipeline_nothing"),
        (
            'feldera_pipeline_program_status{status="Running"}',
            'feldera_pipeline_program_status{status="Running"}',
        ),
        ('feldera_up{pipeline="x"}', "feldera_up{pipeline}"),
        ("max by (cluster) (feldera_up)", "cluster"),
        (
            'feldera:pipeline_program_status:age_seconds{status=~"Pending|Broken"}',
            'feldera:pipeline_program_status:age_seconds{status="Broken"}',
        ),
    ],
)
def test_mistakes_are_found(promql: str, wrong: str) -> None:
    """The check itself finds a family, a label or a value that does not exist."""
    assert wrong in list(mistakes(promql))


def test_scenarios_use_what_exists() -> None:
    """Every series in the rule tests is one that the exporter could expose, or what rules recorded of it."""
    found: set[str] = set()
    for path in FOLDER.glob("*.yml"):
        found |= set(re.findall(r"series: '([^']*)'", path.read_text("utf-8")))
    wrong = [
        series
        for series in sorted(found)
        if series.partition("{")[0] not in {*FAMILIES, *RECORDINGS} or list(mistakes(series))
    ]
    assert wrong == []


def test_every_family_of_the_rules_is_exposed() -> None:
    """What the alerts rest on, directly or through recordings, is recorded or exposed."""
    needed = set().union(*map(reach, ALERTS))
    assert needed - set(RECORDINGS) - set(FAMILIES) == set()


def _targets(matchers: list[str]) -> set[str]:
    found = set(NAMES)
    for matcher in matchers:
        label, sign, value = re.fullmatch(r'(\w+) (=~|!~|=) "(.*)"', matcher).groups()  # type: ignore[union-attr]
        if label != "alertname":
            continue
        pattern = value if "~" in sign else re.escape(value)
        found = {name for name in found if bool(re.fullmatch(pattern, name)) is (sign != "!~")}
    return found


@pytest.mark.parametrize("rule", INHIBITIONS, ids=lambda rule: rule["source_matchers"][0])
def test_inhibitions(rule: dict[str, Any]) -> None:
    """An inhibition names alerts that exist, compares labels that both sides have, and never hides the graver one."""
    sources, targets = _targets(rule["source_matchers"]), _targets(rule["target_matchers"])
    assert len(sources) == 1
    assert targets
    assert rule["equal"][0] == EXTERNAL
    for label in rule["equal"][1:]:
        assert [name for name in sources | targets if label not in ALERT_LABELS[name]] == []
    for matcher in rule["source_matchers"] + rule["target_matchers"]:
        for name in re.findall(r"Feldera[A-Za-z]+(?![.A-Za-z])", matcher):
            assert name in NAMES
    rank = {alert.name: RANK[alert.severity] for alert in ALERTS}
    if 'service = "runner"' in rule["source_matchers"]:
        rank |= dict.fromkeys(sources, RANK["critical"])
    assert max(rank[name] for name in targets) <= min(rank[name] for name in sources)


def _subjects(name: str, scenario: Scenario, equal: Sequence[str]) -> Mapping[Any, list[int]]:
    """Return the instants at which each alert of a name fires in a scenario, by what an inhibition compares, and itself."""
    found: defaultdict[Any, list[int]] = defaultdict(list)
    for at, fired in sorted(scenario.expected.items()):
        for alert, labels in fired:
            if alert == name:
                found[tuple(labels[label] for label in equal), tuple(sorted(labels.items()))].append(at)
    return found


def _together(source: str, target: str, equal: Sequence[str]) -> Iterator[tuple[str, list[int], list[int]]]:
    """Yield each scenario in which a source and a target fire at once: its name, when the source does, when the target."""
    for scenario in (scenario for known in scenarios().values() for scenario in known):
        for (subject, _), targets in _subjects(target, scenario, equal).items():
            for (other, _), sources in _subjects(source, scenario, equal).items():
                if subject == other and {*targets} & {*sources}:
                    yield scenario.name, sources, targets


PAIRS: Final = [
    (source, target, tuple(label for label in rule["equal"] if label != EXTERNAL))
    for rule in INHIBITIONS
    for source in sorted(_targets(rule["source_matchers"]))
    for target in sorted(_targets(rule["target_matchers"]))
]


@pytest.mark.parametrize(("source", "target", "equal"), PAIRS)
def test_a_target_lasts_as_long_as_its_source(source: str, target: str, equal: tuple[str, ...]) -> None:
    """What is inhibited goes on until the source ends, for ten minutes at least in some scenario: else nobody hears of its end."""
    known = list(_together(source, target, equal))
    ended = [
        name
        for name, sources, targets in known
        if any(at not in targets for at in sources if at > min({*sources} & {*targets}))
    ]
    assert ended == []
    spans = [max(both) - min(both) for _, sources, targets in known if (both := {*sources} & {*targets})]
    assert max(spans, default=0) >= 600
