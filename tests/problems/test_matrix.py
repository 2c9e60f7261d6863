"""Every status and pair of statuses that lasts is a problem, or there is a reason why not."""

import pytest

from feldera_exporter.feldera.statuses import DIMENSIONS
from problems.examples import HOUR, after, fleet, names
from problems.matrix import DECISIONS, PAIRS, Decision, NoProblem, StatusPair, held

HELD = 12 * HOUR
"""How long each status lasts."""


def test_the_matrix_is_whole() -> None:
    """There is a decision about every known status."""
    known = {dimension.name: set(dimension.rows) for dimension in DIMENSIONS}
    assert {dimension: set(decisions) for dimension, decisions in DECISIONS.items()} == known


@pytest.mark.parametrize(
    ("dimension", "status", "decision"),
    [
        pytest.param(dimension, status, decision, id=f"{dimension}-{status}")
        for dimension, decisions in DECISIONS.items()
        for status, decision in decisions.items()
    ],
)
def test_a_status_that_lasts(dimension: str, status: str, decision: Decision) -> None:
    """The problem of a status that lasts for twelve hours is the one of the matrix."""
    expected = [] if isinstance(decision, NoProblem) else [decision]
    assert names(after((HELD, fleet(held(dimension, status))))) == expected


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_a_pair_that_lasts(pair: StatusPair) -> None:
    """The problems of a pair are those of the matrix; without any, the matrix has a reason."""
    assert names(after((HELD, fleet(pair.pipeline)))) == pair.problems
    assert bool(pair.problems) == (pair.fine is None)
