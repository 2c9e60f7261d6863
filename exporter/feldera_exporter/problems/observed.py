"""One instance as it is shown: its fleet, and the problems that it has."""

from typing import NamedTuple

from feldera_exporter.fleet.fleet import Fleet
from feldera_exporter.problems.evaluate import Problems


class Observed(NamedTuple):
    """An instance with its problems."""

    fleet: Fleet
    problems: Problems
