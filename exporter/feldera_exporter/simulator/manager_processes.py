"""The pipeline manager's processes: one or three, each with its own generator of ids and its own clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from feldera_exporter.micros import from_seconds
from feldera_exporter.simulator.uuid7 import Uuid7

WRITERS: Final = ("api", "runner", "compiler")


@dataclass(frozen=True, slots=True)
class ManagerProcesses:
    """How the pipeline manager is deployed.

    Attributes:
        separate: whether api, runner and compiler are separate processes, each with an id generator
            (Kubernetes), or one process that does one database operation at a time (the open-source binary).
        skew: by how many seconds each process's clock is ahead of the database's; it shows in the event ids.
        takes: how many seconds every transaction holds the row's lock at least: some round trips to the database
            and a commit to its disk.
        waits: the share of transactions that begin and come to the row's lock only later.
        longest_wait: the longest of those waits, in seconds.
        holds: the share of transactions that hold the lock for a while and commit late.
        longest_hold: the longest of those, in seconds.
    """

    separate: bool = False
    skew: Mapping[str, float] = field(default_factory=dict)
    takes: float = 0.0
    waits: float = 0.0
    longest_wait: float = 8.0
    holds: float = 0.0
    longest_hold: float = 3.0


def generators(processes: ManagerProcesses, seed: int) -> dict[str, Uuid7]:
    """Return the generator of ids that each writer uses; one for all where they are one process."""
    shared = Uuid7(f"manager/{seed}")
    return {
        writer: Uuid7(f"{writer}/{seed}", from_seconds(processes.skew.get(writer, 0.0)))
        if processes.separate
        else shared
        for writer in WRITERS
    }
