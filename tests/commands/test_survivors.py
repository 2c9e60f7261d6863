"""What is believed to survive without a family does so in Prometheus, and nothing else."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from feldera_exporter.checking.survivors import INFO, gone, rules, ways
from feldera_exporter.metrics.catalogue import KNOWN_FAMILIES
from feldera_exporter.rules.rendering import GROUPS
from feldera_exporter.rules.table import NAMES
from rules.cases import CASES
from rules.edges import EDGES
from rules.generate import ROOT
from rules.packs import Member
from rules.promtool import run
from rules.reach import TELEMETRY, reach
from rules.scenarios import BY_NAME, Scenario, standard
from tools import THOROUGH

TELLING: Final = (
    INFO,
    "feldera_pipeline_created_timestamp_seconds",
    "feldera_pipeline_deployment_error_info",
    "feldera_pipeline_deployment_has_error",
    "feldera_pipeline_deployment_status_seconds_total",
    "feldera_pipeline_deployment_runtime_status_transitions_total",
)
"""Families without which recordings fall back, other ways remain, or all that is about pipelines is gone."""

EVERYTHING: Final = TELEMETRY.union(*map(reach, BY_NAME.values()))
END: Final = 3660
"""Seconds; what takes longer to fire is not asked for."""
STEP: Final = 60
"""Seconds between evaluations: four times what a real one waits, since only whether an alert ever fires is asked for."""


def batches() -> list[Sequence[str]]:
    """Return the families to leave out, so many at once as promtool loads the samples of (10,000 in one query)."""
    families = sorted(KNOWN_FAMILIES & EVERYTHING) if THOROUGH else TELLING[:3]
    return [families[start : start + len(TELLING)] for start in range(0, len(families), len(TELLING))]


def scenarios(name: str) -> Iterator[Scenario]:
    """Yield in how many ways an alert comes about soon, each able to stand beside others."""
    # One of the ways is being kept through an outage, which needs another one first.
    edges = EDGES.get(name, ()) if len(rules()[name]) > 2 else ()
    for scenario in (*(next(standard(case)) for case in CASES[name]), *edges):
        fires = any(name in dict(firing) for at, firing in scenario.expected.items() if at <= END)
        if fires and not scenario.alone:
            yield scenario


def world(family: str) -> dict[str, list[Member]]:
    """Return for each alert that reads a family the worlds in which it fires as long as nothing is left out."""
    reading = [name for name in CASES if family in reach(BY_NAME[name])]
    found = {
        name: [Member(each, f"{family}-{name}-{n}-") for n, each in enumerate(scenarios(name))]
        for name in reading
    }
    return {name: members for name, members in found.items() if members}


@pytest.mark.parametrize("families", batches(), ids=lambda families: families[0])
def test_prometheus_agrees(families: Sequence[str], tmp_path: Path) -> None:
    """For each family that is left out, one beside the other, exactly those alerts fire that are not gone."""
    rows: list[str] = []
    asked: list[str] = []
    for family in families:
        known = world(family)
        rows += [
            f"      - {{series: '{name}', values: '{values}'}}\n"
            for members in known.values()
            for member in members
            for name, values in member.rows(END, EVERYTHING - {family}, STEP)
        ]
        firing = (
            f'ALERTS{{alertstate="firing", alertname=~"{"|".join(known)}", feldera_instance=~"{family}-.*"}}'
        )
        left = sorted(known.keys() - gone({family}))
        samples = "".join(f"\n          - {{value: 1, labels: '{{alertname=\"{name}\"}}'}}" for name in left)
        asked.append(
            f"      - expr: group by (alertname) (last_over_time({firing}[{END}s]))\n"
            f"        eval_time: {END}s\n        exp_samples: {samples or '[]'}\n"
        )
    path = tmp_path / "without.yml"
    path.write_text(
        f"rule_files: [{ROOT / 'alerts/feldera.rules.yml'}]\nevaluation_interval: {STEP}s\n"
        f"group_eval_order: [{', '.join(GROUPS.values())}]\ntests:\n  - interval: {STEP}s\n"
        f"    input_series:\n{''.join(rows)}    promql_expr_test:\n{''.join(asked)}"
    )
    verdict = run("test", "rules", path)
    assert verdict.passed, verdict.words


def test_enough_is_told() -> None:
    """Without a family some alerts are gone and many are not."""
    for family in TELLING[:2]:
        known = world(family).keys()
        assert known & gone({family})
    left = {name for family in TELLING for name in world(family).keys() - gone({family})}
    assert len(left) > 20


@pytest.mark.parametrize(
    ("promql", "needed"),
    [
        ("a_total", ["a_total"]),
        ('sum by (x) (rate(a{x="1"}[5m] offset 10m)) > 0.5', ["a"]),
        ("a_bucket / ignoring (le) group_left () a_count", ["a"]),
        ("a or on (x) b and c", ["a", "b c"]),
        ("(a or b) * c", ["a c", "b c"]),
        ("a unless b == 0 and c", ["a c"]),
        ("a > b or -c", ["a b", "c"]),
        ("absent(a) or vector(1) < Inf", [""]),
        (
            'ALERTS{alertname="A", alertstate="firing"} and on () label_replace(b, "x", "$1", "y", "(.+)")',
            ["A b"],
        ),
        ('feldera:pipeline_tags:info{expect="x"}', [f"feldera:pipeline_tags:info {INFO}"]),
    ],
)
def test_ways(promql: str, needed: list[str]) -> None:
    """Every operator needs both sides, but `or` one of them, and `unless` the left one."""
    assert {frozenset(each.split()) for each in needed} == ways(promql)


def test_every_rule_is_understood() -> None:
    """Each needs nothing but what is there, and with everything there none is gone."""
    assert frozenset().union(*(way for known in rules().values() for way in known)) <= EVERYTHING | NAMES
    assert gone(()) == frozenset()
