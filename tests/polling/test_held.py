"""Problems stay as they are while Feldera does not answer, also across a restart; whether it does is judged at the scrape."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from feldera_exporter.errors import StoreError
from feldera_exporter.problems.evaluate import NO_PROBLEMS
from feldera_exporter.problems.instance_with_problems import InstanceWithProblems
from feldera_exporter.simulator.plan import Plan
from feldera_exporter.store.store import Store
from support.stepped_poller import NAME, POLICY, Watching

HOUR = 3600
STUCK = "StuckProvisioning"


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Watching]:
    """An exporter with a store."""
    watching = Watching(monkeypatch, tmp_path)
    yield watching
    watching.close()


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch) -> Watching:
    """An exporter without one."""
    return Watching(monkeypatch)


def provision(watching: Watching) -> float:
    """Let a pipeline wait for its resources, and return the instant when it begins to count as stuck."""
    watching.feldera.create(
        "etl", plan=Plan(provisioning=None), runtime_config={"provisioning_timeout_secs": 10 * HOUR}
    )
    watching.clock.advance(60)
    watching.feldera.start("etl")
    watching.clock.advance(1)
    watching.feldera.settle()
    row = watching.feldera.get("etl").row
    assert row.status == "Provisioning"
    return row.resources_since / 1e6 + 600


def test_nothing_begins_while_feldera_does_not_answer(watching: Watching) -> None:
    """With the first list it has begun when it did."""
    begins = provision(watching)
    watching.poll(300)
    watching.client.answers = False
    watching.poll(HOUR)
    assert watching.problems == {}
    watching.client.answers = True
    watching.poll()
    assert watching.problems == {STUCK: begins}


def test_nothing_ends_while_feldera_does_not_answer(watching: Watching) -> None:
    """Though its pipelines are shown no longer; with the first list it has ended, and is said to have for ten minutes."""
    begins = provision(watching)
    watching.poll(700)
    watching.client.answers = False
    watching.feldera.replan("etl", provisioning=1.0)
    watching.poll(HOUR)
    assert watching.shown("feldera_pipeline_created_timestamp_seconds") == {}
    assert watching.problems == {STUCK: begins}
    watching.client.answers = True
    watching.poll()
    assert watching.feldera.get("etl").row.status == "Running"
    assert watching.problems == {STUCK: 0}
    watching.poll(595)
    assert watching.problems == {STUCK: 0}
    watching.poll()
    assert watching.problems == {}


def test_a_restart_while_feldera_does_not_answer_ends_nothing(kept: Watching) -> None:
    """It is shown before the first poll, and through those that fail."""
    begins = provision(kept)
    kept.poll(700)
    kept.client.answers = False
    kept.poll()
    kept.clock.advance(HOUR)
    kept.restart()
    assert kept.problems == {STUCK: begins}
    assert kept.shown("feldera_up") == {}
    kept.poll(60)
    assert kept.problems == {STUCK: begins}
    kept.client.answers = True
    kept.poll()
    assert kept.problems == {STUCK: begins}


def test_what_ended_while_the_exporter_was_away_ends_with_the_first_list(kept: Watching) -> None:
    """Until then it is shown."""
    begins = provision(kept)
    kept.poll(700)
    kept.feldera.replan("etl", provisioning=1.0)
    kept.clock.advance(HOUR)
    kept.restart()
    assert kept.problems == {STUCK: begins}
    kept.poll()
    assert kept.problems == {STUCK: 0}
    kept.restart()
    assert kept.problems == {STUCK: 0}
    kept.poll(600)
    assert kept.problems == {}


def test_without_a_store_nothing_is_known_before_the_first_list(watching: Watching) -> None:
    """Then all is that a list tells."""
    begins = provision(watching)
    watching.poll(700)
    watching.restart()
    assert watching.problems == {}
    watching.poll()
    assert watching.problems == {STUCK: begins}


def crash(watching: Watching) -> None:
    """Let a pipeline's process be restarted three times within three minutes."""
    watching.feldera.inject.crash_loop("etl", 40, 20, times=3)


def run(watching: Watching) -> None:
    """Let a pipeline run."""
    watching.feldera.create("etl")
    watching.clock.advance(60)
    watching.feldera.start("etl")
    watching.clock.advance(60)
    watching.poll(30)


def test_a_restart_forgets_no_crash_loop(kept: Watching) -> None:
    """An hour after its first crash it is over."""
    run(kept)
    crash(kept)
    kept.poll(300)
    (since,) = kept.problems.values()
    assert "CrashLooping" in kept.problems
    kept.restart()
    kept.poll()
    assert kept.problems == {"CrashLooping": since}
    kept.poll(HOUR, every=60)
    assert kept.problems.get("CrashLooping", 0) == 0


@pytest.mark.parametrize(("away", "present"), [(1800, True), (2 * HOUR, False)])
def test_a_loop_that_an_exporter_catches_up_with_was_when_it_was(
    kept: Watching, away: float, *, present: bool
) -> None:
    """Not when it is read."""
    run(kept)
    crash(kept)
    kept.clock.advance(away)
    kept.restart()
    kept.poll(10)
    assert ("CrashLooping" in kept.problems) is present
    history = kept.watcher.ledger._histories[kept.feldera.get("etl").id]
    assert len(history.recent.restarts) == 3


def test_problems_that_cannot_be_kept_are_kept_with_the_next_poll(
    kept: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are shown meanwhile, and each failure is counted; what says the same is written once."""
    provision(kept)
    kept.poll(300)
    written: list[bytes] = []
    broken = [True]
    real = Store.keep_problems

    def keep(store: Store, instance: str, problems: bytes) -> None:
        if broken:
            raise StoreError("state.sqlite3: cannot be written: database or disk is full")
        written.append(problems)
        real(store, instance, problems)

    monkeypatch.setattr(Store, "keep_problems", keep)
    errors = "feldera_exporter_store_errors_total"
    kept.poll(295)
    assert kept.shown(errors) == {"": 0}
    kept.poll(20)
    assert STUCK in kept.problems
    assert kept.shown(errors)[""] >= 3
    broken.clear()
    kept.poll(60)
    assert len(written) == 1
    kept.restart()
    assert STUCK in kept.problems


def test_feldera_is_up_while_one_of_the_last_polls_succeeded(watching: Watching) -> None:
    """Some may fail; before the first one ended nothing is known."""
    assert watching.shown("feldera_up") == {}
    watching.poll()
    assert watching.shown("feldera_up") == {"": 1}
    watching.client.answers = False
    watching.poll(POLICY.freshness - 5)
    assert watching.shown("feldera_up") == {"": 1}
    watching.poll()
    assert watching.shown("feldera_up") == {"": 0}
    watching.client.answers = True
    watching.poll()
    assert watching.shown("feldera_up") == {"": 1}


def test_feldera_is_down_where_its_first_poll_fails(watching: Watching) -> None:
    """Nothing was ever read."""
    watching.client.answers = False
    watching.poll()
    assert watching.shown("feldera_up") == {"": 0}


def test_feldera_is_down_where_polls_end_without_a_word(watching: Watching) -> None:
    """The scrape finds out, even if nothing was published for long; the next successful poll ends it."""
    watching.poll()
    watching.clock.advance(POLICY.freshness)
    assert watching.shown("feldera_up") == {"": 1}
    watching.clock.advance(0.001)
    assert watching.shown("feldera_up") == {"": 0}
    assert watching.publisher.snapshot is watching.publisher.snapshot
    watching.poll()
    assert watching.shown("feldera_up") == {"": 1}


def test_after_a_reload_the_last_poll_still_counts(watching: Watching) -> None:
    """After a reload another watcher shows what was read a moment ago."""
    watching.poll()
    fleet, _ = watching.publisher.observed[NAME]
    watching.publisher.publish(InstanceWithProblems(fleet, NO_PROBLEMS), float("-inf"))
    assert watching.shown("feldera_up") == {"": 1}
    watching.clock.advance(POLICY.freshness + 1)
    assert watching.shown("feldera_up") == {"": 0}
