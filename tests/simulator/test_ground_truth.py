"""The ground truth agrees with the events and rows."""

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from feldera_exporter.feldera.statuses import PROGRAM, RESOURCES, STORAGE, combine
from feldera_exporter.micros import SECOND
from feldera_exporter.simulator.events import EventRow
from feldera_exporter.simulator.manager_processes import ManagerProcesses
from feldera_exporter.simulator.random_workload import RandomWorkload
from support.clocks import ManualClock
from support.ground_truth import RecordedFeldera
from support.simulated_api import SimulatedInstance
from support.tools import example_count

SEPARATE = ManagerProcesses(separate=True, waits=0.1, holds=0.1, skew={"runner": 0.2, "compiler": -0.3})


def read(event: EventRow) -> dict[str, Any]:
    """Return an event's statuses by dimension."""
    statuses = event.statuses
    return {
        "deployment_resources_status": statuses.resources,
        "deployment_runtime_status": statuses.runtime,
        "program_status": statuses.program,
        "storage_status": statuses.storage,
        "deployment_status": combine(statuses.resources, statuses.runtime),
    }


@pytest.mark.parametrize("processes", [None, SEPARATE])
@pytest.mark.parametrize("seed", range(example_count(20)))
def test_the_fold_of_all_events_is_the_truth(seed: int, processes: ManagerProcesses | None) -> None:
    """The log has every transition and every error of every pipeline, and nothing else."""
    clock = ManualClock()
    feldera = RecordedFeldera(clock, seed, retention=1_000_000, processes=processes)
    RandomWorkload(feldera, seed, size=10, rate=1.0, trouble=0.3)
    clock.advance(1800)
    for pipeline in feldera.pipelines():
        life = feldera.truth[pipeline.id]
        log = list(pipeline.log)
        for dimension in life.born:
            folded = [
                (read(after)[dimension], after.recorded_at)
                for before, after in pairwise(log)
                if read(before)[dimension] != read(after)[dimension]
            ]
            assert folded == [(change.after, change.at) for change in life.of(dimension)]
        edges = [
            (after.details.error and after.details.error.error_code, after.recorded_at)
            for before, after in pairwise(log)
            if before.statuses.has_error != after.statuses.has_error
        ]
        assert edges == [(edge.code, edge.at) for edge in life.errors]
        row = pipeline.row
        now = clock.now()
        assert life.intervals(now)[-1][0] == row.status
        assert sum(life.time_in_status(now).values()) == now - life.created_at
        if processes is None:
            assert now - row.status_since == life.intervals(now)[-1][2] - life.intervals(now)[-1][1]
    legal = {dimension.name: set(dimension.transitions) for dimension in (RESOURCES, PROGRAM, STORAGE)}
    for life in feldera.truth.lives.values():
        for dimension, allowed in legal.items():
            assert set(life.counts(dimension)) <= allowed


def history(seed: int, steps: int, life_seed: int = 1) -> list[Any]:
    """Return everything that can be seen of a random fleet after twenty minutes in so many steps."""
    clock = ManualClock()
    feldera = RecordedFeldera(clock, seed, processes=SEPARATE)
    RandomWorkload(feldera, life_seed, size=10, rate=1.0)
    for _ in range(steps):
        clock.advance(1200 / steps)
        feldera.settle()
    return [(pipeline.id, pipeline.row, list(pipeline.log)) for pipeline in feldera.pipelines()]


def test_the_same_seeds_make_the_same_history() -> None:
    """The histories are equal down to the ids, however often they are read."""
    assert history(7, 1) == history(7, 1) == history(7, 300)


def test_other_seeds_make_another() -> None:
    """Another seed of the instance or of the workload makes another history."""
    assert history(7, 1) != history(8, 1)
    assert history(7, 1) != history(7, 1, life_seed=2)


def test_the_truth_survives_retention_and_deletion() -> None:
    """Names, instants and transitions of deleted pipelines are kept."""
    instance = SimulatedInstance(retention=5)
    instance.run()
    instance.feldera.inject.crash("a", "ControllerPanic")
    instance.go(60)
    instance.feldera.clear("a")
    instance.go(60)
    assert len(instance.events) <= 6
    identity = instance.feldera.get("a").id
    instance.feldera.rename("a", "b")
    renamed = instance.clock.now()
    instance.go(5)
    instance.feldera.delete("b")
    gone = instance.clock.now()
    instance.go(100)
    instance.feldera.create("a")
    life = instance.feldera.truth[identity]
    assert instance.feldera.get("a").id != identity
    assert life.names == [(life.created_at, "a"), (renamed, "b")]
    assert life.deleted_at == gone
    assert life.counts("deployment_resources_status") == Counter(
        {pair: 1 for pair in RESOURCES.transitions if pair != ("Provisioning", "Stopping")}
    )
    assert [edge.code for edge in life.errors] == ["ControllerPanic"]
    assert len(life.appeared) == 1
    assert sum(life.time_in_status(instance.clock.now()).values()) == gone - life.created_at


def test_an_interval_that_was_committed_late_has_no_length() -> None:
    """The order of the commits counts, and the lengths add up."""
    instance = SimulatedInstance()
    life = instance.feldera.truth[instance.feldera.get("a").id]
    instance.run(4)
    provisioned = life.of("deployment_status")[-1]
    assert provisioned.after == "Initializing"
    instance.go(10)
    early = life.of("deployment_status")[-1]
    late = type(early)("deployment_status", early.at - 2 * SECOND, "Running", "Paused", instance.clock.now())
    life.transitions.append(late)
    stretches = life.intervals(instance.clock.now())
    assert stretches[-2] == ("Running", early.at, early.at)
    assert stretches[-1] == ("Paused", early.at, instance.clock.now())


def test_the_random_workload_ends() -> None:
    """After its end only heartbeats come."""
    clock = ManualClock()
    feldera = RecordedFeldera(clock, 5)
    life = RandomWorkload(feldera, 5, size=5, rate=2.0, trouble=0.0)
    clock.advance(600)
    feldera.settle()
    life.end()
    clock.advance(600)
    feldera.settle()
    before = [pipeline.row.status for pipeline in feldera.pipelines()]
    clock.advance(7200)
    assert [pipeline.row.status for pipeline in feldera.pipelines()] == before


def test_the_random_workload_replaces_its_pipelines() -> None:
    """After late deletions of the only pipeline there are new ones."""
    clock = ManualClock()
    feldera = RecordedFeldera(clock, 4, processes=ManagerProcesses(separate=True, waits=0.5, holds=0.5))
    RandomWorkload(feldera, 4, size=1, rate=1.0, trouble=0.0)
    clock.advance(4 * 3600)
    feldera.settle()
    assert len(feldera.truth.lives) > 3


def test_the_random_workload_does_everything() -> None:
    """It has every status of every dimension, renames, swaps, deletions and re-creations."""
    clock = ManualClock()
    feldera = RecordedFeldera(clock, 12)
    RandomWorkload(feldera, 12, size=60, rate=5.0, trouble=0.4)
    clock.advance(1800)
    feldera.settle()
    lives = feldera.truth.lives.values()
    seen = {change.after for life in lives for change in life.transitions}
    assert {
        "Provisioning", "Initializing", "AwaitingApproval", "Bootstrapping", "ConcurrentBootstrapping",
        "Synchronizing", "Replaying", "Paused", "Running", "Unavailable", "Stopping", "Stopped",
        "SqlError", "RustError", "SystemError", "Success", "InUse", "Clearing", "Cleared",
    } <= seen  # fmt: skip
    for dimension in (RESOURCES, PROGRAM, STORAGE):
        pairs = {pair for life in lives for pair in life.counts(dimension.name)}
        assert pairs == set(dimension.transitions)
    names = Counter(life.names[0][1] for life in lives)
    assert max(names.values()) > 1
    assert any(len(life.names) > 1 for life in lives)
    swapped = [life for life in lives if len(life.names) > 2]
    assert swapped
    assert len({edge.code for life in lives for edge in life.appeared}) > 5
