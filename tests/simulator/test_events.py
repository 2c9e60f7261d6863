"""Events are written as by Feldera: when, with which instants and ids, and how many are kept."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import pairwise

import pytest

from feldera_exporter.micros import SECOND
from feldera_exporter.simulator.api_errors import ApiError
from feldera_exporter.simulator.manager_processes import ManagerProcesses
from feldera_exporter.simulator.plan import Phase, Plan
from feldera_exporter.simulator.uuid7 import uuid_text
from support.simulated_api import SimulatedInstance


def pairs(instance: SimulatedInstance) -> list[tuple[str, str]]:
    """Return the resources statuses of those neighbours that share their instant."""
    return [
        (first.statuses.resources, second.statuses.resources)
        for first, second in pairwise(instance.events)
        if first.recorded_at == second.recorded_at
    ]


def test_two_events_of_one_transaction_share_their_instant() -> None:
    """This happens at the start and on the way to Stopping, and nowhere else."""
    instance = SimulatedInstance()
    instance.run()
    instance.feldera.stop("a", force=True)
    instance.go(30)
    assert pairs(instance) == [("Stopped", "Provisioning"), ("Provisioned", "Stopping")]
    for first, second in pairwise(instance.events):
        assert first.event_id < second.event_id


def test_recorded_at_is_since_exactly() -> None:
    """They agree to the microsecond, for each kind of transition."""
    instance = SimulatedInstance()
    instance.run()
    row, last = instance.feldera.get("a").row, instance.events[-1]
    assert last.recorded_at == row.runtime_since == row.status_since
    provisioned = next(event for event in instance.events if event.statuses.resources == "Provisioned")
    assert provisioned.recorded_at == row.resources_since


def test_a_running_pipeline_has_a_heartbeat_every_ten_minutes() -> None:
    """One event per 600 seconds comes at the first poll after."""
    instance = SimulatedInstance()
    instance.run()
    known = len(instance.events)
    instance.go(6 * 600 + 20)
    beats = instance.events[known - 1 :]
    assert len(beats) == 7
    for first, second in pairwise(beats):
        assert 600 * SECOND <= second.recorded_at - first.recorded_at <= 603 * SECOND
        assert second.statuses == first.statuses


def test_a_stopped_pipeline_has_none() -> None:
    """A stopped pipeline has no heartbeats, whatever time passes."""
    instance = SimulatedInstance()
    known = len(instance.events)
    instance.go(7 * 86_400)
    assert len(instance.events) == known


@pytest.mark.parametrize(
    ("plan", "rate", "most"),
    [(Plan(), 5.0, 10.0), (Plan(checkpoint_every=60), 0.0, 60.0), (Plan(), 0.02, 50.0)],
)
def test_changed_details_are_written_at_most_every_ten_seconds(plan: Plan, rate: float, most: float) -> None:
    """Connector errors and checkpoints come as details; each write moves refresh_version."""
    instance = SimulatedInstance(plan)
    instance.run(100)
    instance.feldera.inject.connector_errors("a", per_second=rate)
    known, refreshed = len(instance.events), instance.feldera.get("a").row.refresh_version
    instance.go(600)
    changed = instance.events[known:]
    gaps = [second.recorded_at - first.recorded_at for first, second in pairwise(changed)]
    assert min(gaps) >= 10 * SECOND
    assert max(gaps) <= (most + 2.7) * SECOND
    assert instance.feldera.get("a").row.refresh_version == refreshed + len(changed)


def test_connector_errors_are_counted_in_the_details() -> None:
    """They stay through a stop without growing, and are removed with the storage."""
    instance = SimulatedInstance()
    instance.run()
    instance.feldera.inject.connector_errors("a", 3, per_second=1.0)
    instance.go(60)
    details = instance.feldera.get("a").row.runtime_details or {}
    assert 50 < details["connector_stats"]["num_errors"] <= 63
    instance.feldera.stop("a", force=True)
    instance.go(600)
    instance.run()
    details = instance.feldera.get("a").row.runtime_details or {}
    assert 60 < details["connector_stats"]["num_errors"] < 70
    instance.feldera.stop("a", force=True)
    instance.go(5)
    instance.feldera.clear("a")
    instance.go(5)
    instance.run()
    assert instance.feldera.get("a").row.runtime_details == {"connector_stats": {"num_errors": 0}}


def test_provisioning_has_details_but_no_heartbeat() -> None:
    """There is one event about details, however long Provisioning lasts."""
    instance = SimulatedInstance(Plan(provisioning=None), provisioning_timeout=86_400)
    instance.run(3600)
    assert [event.statuses.resources for event in instance.events].count("Provisioning") == 2


def test_events_beyond_the_retention_are_cleaned_every_30_seconds() -> None:
    """There may be some more until then; the newest stay."""
    instance = SimulatedInstance(retention=20)
    instance.run()
    instance.feldera.inject.connector_errors("a", per_second=10)
    most = 0
    for _ in range(100):
        instance.go(7)
        most = max(most, len(instance.events))
    assert 20 < most <= 24
    newest = instance.events[-1].event_id
    instance.go(30)
    assert newest in {event.event_id for event in instance.events}


def test_what_moves_refresh_version() -> None:
    """Edits, programs and the runner do; requests, dismissals, storage and client metadata do not."""
    instance = SimulatedInstance()
    feldera = instance.feldera

    def moved(act: Callable[[], None], seconds: float = 0.0) -> int:
        before = feldera.get("a").row.refresh_version
        act()
        instance.go(seconds)
        return feldera.get("a").row.refresh_version - before

    assert moved(lambda: feldera.patch_metadata("a", tags=["x"], description="y")) == 0
    assert moved(lambda: feldera.dismiss_error("a")) == 0
    assert moved(lambda: feldera.edit("a")) == 1
    # SqlCompiled and Success, but neither CompilingSql nor CompilingRust.
    assert moved(lambda: None, 60) == 2
    assert moved(lambda: feldera.start("a")) == 0
    # Provisioning; InUse in the same transaction does not count.
    assert moved(lambda: None, 0.1) == 1


def test_what_records_no_event() -> None:
    """The client's metadata and an edit that changes nothing record no event."""
    instance = SimulatedInstance()
    known, version = len(instance.events), instance.feldera.get("a").row.version
    instance.feldera.patch_metadata("a", description="new")
    instance.feldera.edit("a", program_code=instance.feldera.get("a").row.program_code)
    assert len(instance.events) == known
    assert instance.feldera.get("a").row.version == version
    assert instance.feldera.get("a").row.description == "new"


def test_a_wish_is_recorded_even_when_repeated() -> None:
    """A second /start changes nothing and records an event."""
    instance = SimulatedInstance()
    instance.run()
    since = instance.feldera.get("a").row.desired_since
    known = len(instance.events)
    instance.feldera.start("a")
    instance.feldera.dismiss_error("a")
    assert len(instance.events) == known + 2
    assert instance.events[-1].statuses == instance.events[known - 1].statuses
    assert instance.feldera.get("a").row.desired_since == since


def test_a_transaction_that_waited_has_an_older_instant_and_a_newer_id() -> None:
    """recorded_at is the start of the transaction; the id is made under the lock."""
    instance = SimulatedInstance()
    instance.run()
    instance.feldera.inject.hold_lock("a", 3)
    began = instance.clock.now()
    instance.feldera.dismiss_error("a")
    known = len(instance.events)
    instance.go(2.9)
    assert len(instance.events) == known
    instance.go(0.2)
    event = instance.events[-1]
    assert event.recorded_at - began <= 1
    assert event.event_id >> 80 == (began + 3 * SECOND) // 1000


def test_a_lock_is_waited_for_ten_seconds() -> None:
    """Then the transaction is rolled back, and the runner tries again."""
    instance = SimulatedInstance()
    instance.run()
    instance.feldera.inject.hold_lock("a", 30)
    instance.feldera.pause("a")
    instance.feldera.dismiss_error("a")
    known = len(instance.events)
    instance.go(29.9)
    assert len(instance.events) == known
    instance.go(20)
    assert instance.status == "Paused"
    assert all(event.statuses.runtime_desired == "Paused" for event in instance.events[known:])


def test_separate_processes_commit_out_of_order() -> None:
    """The orders of recorded_at and event_id differ; a late commit appears late."""
    processes = ManagerProcesses(separate=True, waits=0.3, holds=0.3)
    instance = SimulatedInstance(Plan(path=(Phase("Bootstrapping", 4.0),)), seed=3, processes=processes)
    older = late = 0
    seen: set[int] = set()
    for _ in range(200):
        for act in (instance.feldera.start, partial(instance.feldera.stop, force=True)):
            with suppress(ApiError):
                act("a")
            instance.go(3)
            log = list(instance.feldera.get("a").log)
            newest = max((event.recorded_at for event in log if event.event_id in seen), default=0)
            late += sum(event.recorded_at < newest for event in log if event.event_id not in seen)
            seen = {event.event_id for event in log}
    for first, second in pairwise(instance.feldera.get("a").log):
        older += second.recorded_at < first.recorded_at
        assert second.event_id >> 80 >= first.event_id >> 80
    assert older
    assert late


def test_a_skewed_process_makes_ids_of_another_time() -> None:
    """recorded_at is the database's, whichever process writes."""
    instance = SimulatedInstance(processes=ManagerProcesses(separate=True, skew={"runner": 5.0}))
    instance.run()
    by_runner = instance.events[-1]
    assert 4_990 <= (by_runner.event_id >> 80) - by_runner.recorded_at // 1000 <= 5_010
    assert uuid_text(by_runner.event_id)[14] == "7"


def test_a_pipeline_deleted_under_a_held_lock_goes_when_it_can() -> None:
    """The deletion waits for the lock; later writes find no pipeline and are rolled back."""
    instance = SimulatedInstance()
    instance.feldera.inject.hold_lock("a", 2)
    instance.feldera.delete("a")
    instance.feldera.delete("a")
    instance.feldera.dismiss_error("a")
    assert "a" in instance.feldera.database
    instance.go(3)
    assert "a" not in instance.feldera.database


def test_a_start_taken_back_under_the_lock_provisions_nothing() -> None:
    """The runner decides again when it has the lock."""
    instance = SimulatedInstance()
    instance.feldera.start("a")
    instance.feldera.inject.hold_lock("a", 2)
    instance.feldera.stop("a", force=True)
    instance.go(30)
    row = instance.feldera.get("a").row
    assert (row.status, row.storage_status) == ("Stopped", "Cleared")
    assert "Provisioning" not in instance.seconds()
