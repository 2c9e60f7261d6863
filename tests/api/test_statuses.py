"""Feldera's statuses, row by row."""

import math

import pytest

from feldera_exporter.feldera.statuses import (
    DEFAULT_LIMITS,
    DEPLOYMENT,
    DIMENSIONS,
    PROGRAM,
    RESOURCES,
    RUNTIME,
    STATUSES,
    STORAGE,
    TIMED,
    Kind,
    Status,
    combine,
)
from feldera_exporter.problems.table import PIPELINE_PROBLEMS

MINUTE = 60
HOUR = 3600


def test_the_limits() -> None:
    """The default limits are those of the documentation."""
    assert DEFAULT_LIMITS == {
        "Provisioning": 10 * MINUTE,
        "Stopping": 15 * MINUTE,
        "Initializing": 20 * MINUTE,
        "Unavailable": 5 * MINUTE,
        "AwaitingApproval": 15 * MINUTE,
        "Bootstrapping": 6 * HOUR,
        "ConcurrentBootstrapping": 6 * HOUR,
        "Replaying": 2 * HOUR,
        "Synchronizing": 15 * MINUTE,
        "Coordination": 10 * MINUTE,
        "Suspended": 10 * MINUTE,
        "Pending": HOUR,
        "CompilingSql": 30 * MINUTE,
        "SqlCompiled": HOUR,
        "CompilingRust": HOUR,
        "Clearing": 15 * MINUTE,
        "StartPending": 10 * MINUTE,
        "Drift": 30 * MINUTE,
    }


def test_whose_durations_are_observed() -> None:
    """Durations are observed for the transient statuses, except two that are a defect if they are ever seen."""
    transient = {row.name for row in STATUSES.values() if row.kind is Kind.TRANSIENT}
    assert set(TIMED) == transient - {"Suspended", "Coordination"} | {"AwaitingApproval", "Unavailable"}


@pytest.mark.parametrize("row", STATUSES.values(), ids=lambda row: row.name)
def test_what_may_not_last_is_a_problem(row: Status) -> None:
    """A transient status and a bad one have a limit, a steady one has none; only a program's failure is final."""
    ends = row.kind in {Kind.TRANSIENT, Kind.NEEDS_PERSON} or row.name == "Unavailable"
    assert (row.limit < math.inf) == ends
    assert row.timed <= ends


def test_every_problem_of_a_status_is_in_the_table() -> None:
    """The problem of a status, or else of its dimension, is in the table of problems."""
    of_status = {row.overdue for row in STATUSES.values() if row.overdue}
    of_dimension = {dimension.overdue for dimension in DIMENSIONS}
    assert of_status | of_dimension <= PIPELINE_PROBLEMS.keys()
    assert DEPLOYMENT.overdue_problem("Provisioning") == "StuckProvisioning"
    assert DEPLOYMENT.overdue_problem("Running") == DEPLOYMENT.overdue_problem("Dreaming") == "Stuck"
    assert PROGRAM.overdue_problem("Pending") == PROGRAM.overdue_problem("Dreaming") == "CompileStuck"
    assert STORAGE.overdue_problem("Clearing") == "StorageClearingStuck"


def test_a_status_belongs_to_one_dimension_that_has_limits() -> None:
    """Each status with a limit is in one dimension, so its name alone identifies the limit."""
    assert len(STATUSES) == len(DEPLOYMENT.rows) + len(PROGRAM.rows) + len(STORAGE.rows) == 15 + 8 + 3


def test_transitions_are_between_known_statuses() -> None:
    """There are as many transitions as Feldera's state machines allow, each once and between known statuses."""
    assert [len(each.transitions) for each in (RESOURCES, PROGRAM, STORAGE)] == [5, 17, 3]
    for dimension in DIMENSIONS:
        assert len(set(dimension.transitions)) == len(dimension.transitions)
        assert {status for pair in dimension.transitions for status in pair} <= dimension.rows.keys()


def test_the_combined_status() -> None:
    """The combined status is the runtime status while there is one."""
    assert DEPLOYMENT.rows.keys() == (RESOURCES.rows.keys() | RUNTIME.rows.keys()) - {"Provisioned"}
    assert combine("Provisioned", "Running") == "Running"
    assert combine("Stopping", "Running") == "Stopping"
    assert combine("Provisioned", None) is None
