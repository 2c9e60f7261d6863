"""How far apart the clocks of Feldera's processes are, as the ids and times of one event log tell."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from statistics import median_low
from typing import Final

from feldera_exporter.history.observation import Observation
from feldera_exporter.history.transactions import Transaction

_FEWEST: Final = 2
"""Transactions of a process that tell its clock: a single one may have waited for the lock."""


def apart(log: Sequence[Transaction]) -> int | None:
    """Return by how many milliseconds the clocks differ that made a log's ids; None where too few tell.

    Each id is made by the writer's own clock, `recorded_at` by the database's. Most transactions get the lock at once,
    so what lies between the two for the middle one of a process is that process's clock.

    Args:
        log: transactions in the order of their ids.
    """
    leads: defaultdict[str, list[int]] = defaultdict(list)
    for before, commit in pairwise(log):
        writer = _writer(before.last, commit.last)
        if writer is not None:
            leads[writer].append(commit.lead)
    middles = [median_low(each) for each in leads.values() if len(each) >= _FEWEST]
    return max(middles) - min(middles) if len(middles) > 1 else None


def _writer(before: Observation, after: Observation) -> str | None:
    """Return which process made a step, None where several may have.

    The compiler writes the program's status, the runner the resources and runtime ones, the API the desired one; an
    edit and a compiler's restart both send a program back to Pending (pipeline-manager `db/operations/pipeline.rs`).
    """
    if before.program != after.program:
        return None if after.program == "Pending" else "compiler"
    if (before.resources, before.runtime, before.runtime_desired) != (
        after.resources,
        after.runtime,
        after.runtime_desired,
    ):
        return "runner"
    return "api" if before.resources_desired != after.resources_desired else None
