"""One instance as it is shown: its fleet, and the problems that it has."""

from typing import NamedTuple

from feldera_exporter.problems.evaluate import Problems
from feldera_exporter.state.fleet import Fleet


class ObservedInstance(NamedTuple):
    """An instance with its problems."""

    fleet: Fleet
    problems: Problems
