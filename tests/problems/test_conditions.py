"""Each problem at its boundaries, to the microsecond: when it begins, since when it counts, and when it ends."""

from collections import defaultdict

import pytest

from feldera_exporter.problems.model import Problem
from feldera_exporter.problems.table import INSTANCE_PROBLEMS, PIPELINE_PROBLEMS
from feldera_exporter.state.pipeline import StatusLimits
from problems.ages import AGES
from problems.counts import COUNTS
from problems.examples import Example
from problems.instances import INSTANCES

EXAMPLES = (*AGES, *COUNTS, *INSTANCES)
TABLES = (PIPELINE_PROBLEMS, INSTANCE_PROBLEMS)
CRITICAL = {
    "StuckProvisioning",
    "Unavailable",
    "UnexpectedlyStopped",
    "DeploymentError",
    "CrashLooping",
    "RunnerFrozen",
    "FleetDegraded",
    "ClusterServiceUnhealthy",
    "LicenseExpiryImminent",
}
INFO = {"CompileFailed"}
ROWS = [row for table in TABLES for row in table.values()]
SEVERITIES = {
    row.name: "critical" if row.name in CRITICAL else "info" if row.name in INFO else "warning"
    for row in ROWS
}
"""The expected severity of each problem."""


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_example(example: Example) -> None:
    """Exactly the expected problems are present, with the expected beginnings."""
    assert example.found() == example.expected


def test_names_are_names_of_rows() -> None:
    """Problems that replace lighter ones exist, and each example has another text."""
    assert SEVERITIES.keys() >= CRITICAL | INFO
    assert len(set(map(str, EXAMPLES))) == len(EXAMPLES)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_problem_has_its_examples(row: Problem[object]) -> None:
    """Each problem has examples with and without it, and with its label."""
    of: defaultdict[bool, list[Example]] = defaultdict(list)
    for example in EXAMPLES:
        if example.problem == row.name:
            of[bool(example.present)].append(example)
    assert of[True]
    assert of[False]
    labels = {label for example in of[True] for label in example.present}
    assert ("" not in labels) == row.labelled


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_table_is_whole(row: Problem[object]) -> None:
    """Every name in a row exists."""
    (table,) = [table for table in TABLES if row.name in table]
    assert row.severity == SEVERITIES[row.name]
    assert row.yields_to in {"", *table} - {row.name}
    assert row.limit_of in {"", *StatusLimits.__slots__}
    assert ("{limit}" in row.meaning) == bool(row.limit_of)
    assert ("{label}" in row.meaning) <= row.labelled
    assert "{subject}" in row.meaning
    for sentence in (row.summary, row.meaning, row.first_step):
        assert sentence.endswith(".")
