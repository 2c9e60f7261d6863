"""Desired and actual status."""

import math

import pytest

from feldera_exporter.feldera import statuses
from feldera_exporter.feldera.statuses import DEFAULT_LIMITS
from feldera_exporter.state.desired_difference import difference
from problems.examples import pipeline

# Rows: the actual status; columns: the desired one; the program is compiled. "." agree, D drift, S start pending.
MATRIX = """
                        Stopped Standby Paused Running Suspended Unavailable Coordination
Stopped                 .       S       S      S       S         S           S
Provisioning            D       .       .      .       .         .           .
Initializing            D       .       .      .       .         .           .
AwaitingApproval        D       .       .      .       .         .           .
Bootstrapping           D       .       .      .       .         .           .
ConcurrentBootstrapping D       .       .      .       .         .           .
Synchronizing           D       .       .      .       .         .           .
Replaying               D       .       .      .       .         .           .
Standby                 D       .       D      D       D         .           .
Paused                  D       D       .      D       D         .           .
Running                 D       D       D      .       D         .           .
Suspended               D       D       D      D       .         .           .
Coordination            D       .       .      .       .         .           .
Unavailable             D       .       .      .       .         .           .
Stopping                .       D       D      D       .         .           .
Novel                   D       D       D      D       D         .           .
"""
HEAD, *ROWS = (line.split() for line in MATRIX.strip().splitlines())
NAMES = {".": None, "D": "Drift", "S": "StartPending"}
CELLS = [
    (desired, actual, NAMES[mark])
    for actual, *marks in ROWS
    for desired, mark in zip(HEAD, marks, strict=True)
]


def test_matrix_is_whole() -> None:
    """Every status that Feldera knows has a row."""
    assert {actual for actual, *_ in ROWS} == {*statuses.DEPLOYMENT.statuses, "Novel"}
    assert set(HEAD) == {*statuses.DEPLOYMENT_DESIRED.statuses, "Coordination"}


@pytest.mark.parametrize(("desired", "actual", "expected"), CELLS)
def test_difference(desired: str, actual: str, expected: str | None) -> None:
    """Each pair of a desired and an actual status agrees, drifts or waits for its start as the matrix says."""
    assert difference(desired, actual, "Success") == expected
    limit = DEFAULT_LIMITS[expected] if expected else math.inf
    assert pipeline(desired=desired, status=actual).facts.limits.deployment_desired_status == limit


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("Pending", None),
        ("CompilingSql", None),
        ("SqlCompiled", None),
        ("CompilingRust", None),
        ("Success", "StartPending"),
        ("SqlError", "Drift"),
        ("RustError", "Drift"),
        ("SystemError", "Drift"),
        ("Novel", "Drift"),
    ],
)
def test_early_start(program: str, expected: str | None) -> None:
    """Compiling with a desired deployed status is no difference; a compiled program is StartPending, a failed one Drift."""
    assert difference("Running", "Stopped", program) == expected
    assert difference("Stopped", "Stopped", program) is None


def test_every_waiting_status_that_agrees_has_its_own_limit() -> None:
    """A status that is no drift has its own limit, so nothing lasts without a problem."""
    silent = {
        actual
        for desired, actual, name in CELLS
        if name is None and desired not in {actual, "Unavailable", "Coordination"}
    }
    assert silent <= set(DEFAULT_LIMITS)


def test_switched_off() -> None:
    """The limit `none` also disables drift."""
    switched_off = pipeline(desired="Running", status="Paused", limits={"Drift": math.inf})
    assert switched_off.facts.limits.deployment_desired_status == math.inf
