"""One instance as metrics, pages and alerts show it: its fleet and its problems."""

from typing import NamedTuple

from feldera_exporter.problems.evaluate import Problems
from feldera_exporter.state.fleet import Fleet


class InstanceWithProblems(NamedTuple):
    """An instance with its problems, both after the same poll."""

    fleet: Fleet
    problems: Problems
