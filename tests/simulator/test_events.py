"""Events are written as Feldera writes them: when, with which instants and ids, and how many are kept."""

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
from support.simulated_api import Stage


def pairs(stage: Stage) -> list[tuple[str, str]]:
    """Return the resources statuses of those neighbours that share their instant."""
    return [
        (first.statuses.resources, second.statuses.resources)
        for first, second in pairwise(stage.events)
        if first.recorded_at == second.recorded_at
    ]


def test_two_events_of_one_transaction_share_their_instant() -> None:
    """At the start, and on the way to Stopping; nowhere else."""
    stage = Stage()
    stage.run()
    stage.feldera.stop("a", force=True)
    stage.go(30)
    assert pairs(stage) == [("Stopped", "Provisioning"), ("Provisioned", "Stopping")]
    for first, second in pairwise(stage.events):
        assert first.event_id < second.event_id


def test_recorded_at_is_since_exactly() -> None:
    """To the microsecond, for whatever the event's transition was."""
    stage = Stage()
    stage.run()
    row, last = stage.feldera.get("a").row, stage.events[-1]
    assert last.recorded_at == row.runtime_since == row.status_since
    provisioned = next(event for event in stage.events if event.statuses.resources == "Provisioned")
    assert provisioned.recorded_at == row.resources_since


def test_a_running_pipeline_has_a_heartbeat_every_ten_minutes() -> None:
    """One event per 600 seconds, at the first poll after."""
    stage = Stage()
    stage.run()
    known = len(stage.events)
    stage.go(6 * 600 + 20)
    beats = stage.events[known - 1 :]
    assert len(beats) == 7
    for first, second in pairwise(beats):
        assert 600 * SECOND <= second.recorded_at - first.recorded_at <= 603 * SECOND
        assert second.statuses == first.statuses


def test_a_stopped_pipeline_has_none() -> None:
    """Whatever time passes."""
    stage = Stage()
    known = len(stage.events)
    stage.go(7 * 86_400)
    assert len(stage.events) == known


@pytest.mark.parametrize(
    ("plan", "rate", "most"),
    [(Plan(), 5.0, 10.0), (Plan(checkpoint_every=60), 0.0, 60.0), (Plan(), 0.02, 50.0)],
)
def test_changed_details_are_written_at_most_every_ten_seconds(plan: Plan, rate: float, most: float) -> None:
    """Connector errors and checkpoints come as details; each write moves refresh_version."""
    stage = Stage(plan)
    stage.run(100)
    stage.feldera.inject.connector_errors("a", per_second=rate)
    known, refreshed = len(stage.events), stage.feldera.get("a").row.refresh_version
    stage.go(600)
    news = stage.events[known:]
    gaps = [second.recorded_at - first.recorded_at for first, second in pairwise(news)]
    assert min(gaps) >= 10 * SECOND
    assert max(gaps) <= (most + 2.7) * SECOND
    assert stage.feldera.get("a").row.refresh_version == refreshed + len(news)


def test_connector_errors_are_counted_in_the_details() -> None:
    """They stay through a stop, stop growing then, and go with the storage."""
    stage = Stage()
    stage.run()
    stage.feldera.inject.connector_errors("a", 3, per_second=1.0)
    stage.go(60)
    details = stage.feldera.get("a").row.runtime_details or {}
    assert 50 < details["connector_stats"]["num_errors"] <= 63
    stage.feldera.stop("a", force=True)
    stage.go(600)
    stage.run()
    details = stage.feldera.get("a").row.runtime_details or {}
    assert 60 < details["connector_stats"]["num_errors"] < 70
    stage.feldera.stop("a", force=True)
    stage.go(5)
    stage.feldera.clear("a")
    stage.go(5)
    stage.run()
    assert stage.feldera.get("a").row.runtime_details == {"connector_stats": {"num_errors": 0}}


def test_provisioning_has_details_but_no_heartbeat() -> None:
    """One event about its details, however long it lasts."""
    stage = Stage(Plan(provisioning=None), provisioning_timeout=86_400)
    stage.run(3600)
    assert [event.statuses.resources for event in stage.events].count("Provisioning") == 2


def test_events_beyond_the_retention_are_cleaned_every_30_seconds() -> None:
    """So there may be a few more than that; the newest remain."""
    stage = Stage(retention=20)
    stage.run()
    stage.feldera.inject.connector_errors("a", per_second=10)
    most = 0
    for _ in range(100):
        stage.go(7)
        most = max(most, len(stage.events))
    assert 20 < most <= 24
    newest = stage.events[-1].event_id
    stage.go(30)
    assert newest in {event.event_id for event in stage.events}


def test_what_moves_refresh_version() -> None:
    """Edits, programs and the runner do; wishes, dismissals, storage and the client's metadata do not."""
    stage = Stage()
    feldera = stage.feldera

    def moved(act: Callable[[], None], seconds: float = 0.0) -> int:
        before = feldera.get("a").row.refresh_version
        act()
        stage.go(seconds)
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
    """The client's metadata, and an edit that changes nothing."""
    stage = Stage()
    known, version = len(stage.events), stage.feldera.get("a").row.version
    stage.feldera.patch_metadata("a", description="new")
    stage.feldera.edit("a", program_code=stage.feldera.get("a").row.program_code)
    assert len(stage.events) == known
    assert stage.feldera.get("a").row.version == version
    assert stage.feldera.get("a").row.description == "new"


def test_a_wish_is_recorded_even_when_repeated() -> None:
    """A second /start changes nothing, and its event says so."""
    stage = Stage()
    stage.run()
    since = stage.feldera.get("a").row.desired_since
    known = len(stage.events)
    stage.feldera.start("a")
    stage.feldera.dismiss_error("a")
    assert len(stage.events) == known + 2
    assert stage.events[-1].statuses == stage.events[known - 1].statuses
    assert stage.feldera.get("a").row.desired_since == since


def test_whoever_waits_for_the_lock_has_an_older_instant_and_a_newer_id() -> None:
    """recorded_at is the start of the transaction; the id is made under the lock, and all is seen together."""
    stage = Stage()
    stage.run()
    stage.feldera.inject.hold_lock("a", 3)
    began = stage.clock.now()
    stage.feldera.dismiss_error("a")
    known = len(stage.events)
    stage.go(2.9)
    assert len(stage.events) == known
    stage.go(0.2)
    event = stage.events[-1]
    assert event.recorded_at - began <= 1
    assert event.event_id >> 80 == (began + 3 * SECOND) // 1000


def test_a_lock_is_waited_for_ten_seconds() -> None:
    """Then the transaction is rolled back; the runner tries again."""
    stage = Stage()
    stage.run()
    stage.feldera.inject.hold_lock("a", 30)
    stage.feldera.pause("a")
    stage.feldera.dismiss_error("a")
    known = len(stage.events)
    stage.go(29.9)
    assert len(stage.events) == known
    stage.go(20)
    assert stage.status == "Paused"
    assert all(event.statuses.runtime_desired == "Paused" for event in stage.events[known:])


def test_separate_processes_commit_out_of_order() -> None:
    """By recorded_at the order is another than by event_id; what is committed late turns up late."""
    processes = ManagerProcesses(separate=True, waits=0.3, holds=0.3)
    stage = Stage(Plan(path=(Phase("Bootstrapping", 4.0),)), seed=3, processes=processes)
    older = late = 0
    seen: set[int] = set()
    for _ in range(200):
        for act in (stage.feldera.start, partial(stage.feldera.stop, force=True)):
            with suppress(ApiError):
                act("a")
            stage.go(3)
            log = list(stage.feldera.get("a").log)
            newest = max((event.recorded_at for event in log if event.event_id in seen), default=0)
            late += sum(event.recorded_at < newest for event in log if event.event_id not in seen)
            seen = {event.event_id for event in log}
    for first, second in pairwise(stage.feldera.get("a").log):
        older += second.recorded_at < first.recorded_at
        assert second.event_id >> 80 >= first.event_id >> 80
    assert older
    assert late


def test_a_skewed_process_makes_ids_of_another_time() -> None:
    """recorded_at is the database's, whoever writes."""
    stage = Stage(processes=ManagerProcesses(separate=True, skew={"runner": 5.0}))
    stage.run()
    by_runner = stage.events[-1]
    assert 4_990 <= (by_runner.event_id >> 80) - by_runner.recorded_at // 1000 <= 5_010
    assert uuid_text(by_runner.event_id)[14] == "7"


def test_a_pipeline_deleted_under_a_held_lock_goes_when_it_can() -> None:
    """The deletion waits for the lock; what then finds no pipeline is rolled back."""
    stage = Stage()
    stage.feldera.inject.hold_lock("a", 2)
    stage.feldera.delete("a")
    stage.feldera.delete("a")
    stage.feldera.dismiss_error("a")
    assert "a" in stage.feldera.database
    stage.go(3)
    assert "a" not in stage.feldera.database


def test_a_start_taken_back_under_the_lock_provisions_nothing() -> None:
    """The runner decided on an older row, and finds under the lock that it is no longer wanted."""
    stage = Stage()
    stage.feldera.start("a")
    stage.feldera.inject.hold_lock("a", 2)
    stage.feldera.stop("a", force=True)
    stage.go(30)
    row = stage.feldera.get("a").row
    assert (row.status, row.storage_status) == ("Stopped", "Cleared")
    assert "Provisioning" not in stage.seconds()
