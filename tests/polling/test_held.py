"""Problems stay as they are while Feldera does not answer, also over a restart; a scrape decides whether it does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from feldera_exporter.errors import StoreError
from feldera_exporter.problems.evaluate import NO_PROBLEMS, InstanceWithProblems
from feldera_exporter.simulator.plan import Plan
from feldera_exporter.store.poll_changes import PollChanges
from feldera_exporter.store.store import Store
from support.stepped_poller import NAME, POLICY, SteppedPoller

HOUR = 3600
STUCK = "StuckProvisioning"


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SteppedPoller]:
    """An exporter with a store."""
    poller = SteppedPoller(monkeypatch, tmp_path)
    yield poller
    poller.close()


@pytest.fixture
def poller(monkeypatch: pytest.MonkeyPatch) -> SteppedPoller:
    """An exporter without one."""
    return SteppedPoller(monkeypatch)


def provision(poller: SteppedPoller) -> float:
    """Let a pipeline wait for its resources, and return the instant when it begins to count as stuck."""
    poller.feldera.create(
        "etl", plan=Plan(provisioning=None), runtime_config={"provisioning_timeout_secs": 10 * HOUR}
    )
    poller.clock.advance(60)
    poller.feldera.start("etl")
    poller.clock.advance(1)
    poller.feldera.settle()
    row = poller.feldera.get("etl").row
    assert row.status == "Provisioning"
    return row.resources_since / 1e6 + 600


def test_nothing_begins_while_feldera_does_not_answer(poller: SteppedPoller) -> None:
    """After an outage a problem has its true beginning."""
    begins = provision(poller)
    poller.poll(300)
    poller.client.answers = False
    poller.poll(HOUR)
    assert poller.problems == {}
    poller.client.answers = True
    poller.poll()
    assert poller.problems == {STUCK: begins}


def test_nothing_ends_while_feldera_does_not_answer(poller: SteppedPoller) -> None:
    """A problem ends with the first list after an outage, and its end is shown for ten minutes."""
    begins = provision(poller)
    poller.poll(700)
    poller.client.answers = False
    poller.feldera.replan("etl", provisioning=1.0)
    poller.poll(HOUR)
    assert poller.shown("feldera_pipeline_created_timestamp_seconds") == {}
    assert poller.problems == {STUCK: begins}
    poller.client.answers = True
    poller.poll()
    assert poller.feldera.get("etl").row.status == "Running"
    assert poller.problems == {STUCK: 0}
    poller.poll(595)
    assert poller.problems == {STUCK: 0}
    poller.poll()
    assert poller.problems == {}


def test_a_restart_while_feldera_does_not_answer_ends_nothing(kept: SteppedPoller) -> None:
    """A problem is shown before the first poll, and while polls fail."""
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


def test_what_ended_while_the_exporter_was_away_ends_with_the_first_list(kept: SteppedPoller) -> None:
    """A stored problem is shown until the first list."""
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


def unreadable(body: bytes) -> bytes:
    """Return a list in which the element of `etl` cannot be read."""
    before, name, after = body.partition(b'"name":"etl"')
    return before + name + after.replace(b'"program_status":"', b'"program_status":7,"other":"', 1)


def test_a_restart_ends_nothing_that_cannot_be_read(kept: SteppedPoller) -> None:
    """The stored names say that a pipeline whose element cannot be read is still there."""
    begins = provision(kept)
    kept.feldera.create("other")
    kept.poll(700)
    kept.client.spoil = unreadable
    kept.poll()
    assert kept.problems == {STUCK: begins}
    kept.restart()
    kept.poll(HOUR, every=60)
    assert kept.problems == {STUCK: begins}
    kept.feldera.replan("etl", provisioning=1.0)
    kept.client.spoil = bytes
    kept.poll()
    assert kept.problems == {STUCK: 0}


def test_an_outage_ends_nothing_that_cannot_be_read(poller: SteppedPoller) -> None:
    """What cannot be read in the first list after a long outage stays as it was until it can be read."""
    begins = provision(poller)
    poller.feldera.create("other")
    poller.poll(700)
    poller.client.answers = False
    poller.poll(HOUR, every=60)
    assert poller.watcher.fleet.pipelines == {}
    poller.client.answers, poller.client.spoil = True, unreadable
    poller.poll(HOUR, every=60)
    assert poller.problems == {STUCK: begins}
    poller.feldera.replan("etl", provisioning=1.0)
    poller.client.spoil = bytes
    poller.poll()
    assert poller.problems == {STUCK: 0}


def test_without_a_store_nothing_is_known_before_the_first_list(poller: SteppedPoller) -> None:
    """Without a store only what the list has is known."""
    begins = provision(poller)
    poller.poll(700)
    poller.restart()
    assert poller.problems == {}
    poller.poll()
    assert poller.problems == {STUCK: begins}


def crash(poller: SteppedPoller) -> None:
    """Let a pipeline's process be restarted three times within three minutes."""
    poller.feldera.inject.crash_loop("etl", 40, 20, times=3)


def run(poller: SteppedPoller) -> None:
    """Bring a pipeline up."""
    poller.feldera.create("etl")
    poller.clock.advance(60)
    poller.feldera.start("etl")
    poller.clock.advance(60)
    poller.poll(30)


def test_a_restart_forgets_no_crash_loop(kept: SteppedPoller) -> None:
    """A crash loop is kept over a restart, and over an hour after its first crash."""
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
    kept: SteppedPoller, away: float, *, present: bool
) -> None:
    """A crash loop counts at its own time, not when it is read."""
    run(kept)
    crash(kept)
    kept.clock.advance(away)
    kept.restart()
    kept.poll(10)
    assert ("CrashLooping" in kept.problems) is present
    history = kept.watcher.ledger._histories[kept.feldera.get("etl").id]
    assert len(history.recent.restarts) == 3


def test_problems_that_cannot_be_kept_are_kept_with_the_next_poll(
    kept: SteppedPoller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are shown meanwhile, each failure is counted, and equal problems are written once."""
    provision(kept)
    kept.poll(300)
    written: list[bytes] = []
    broken = [True]
    real = Store.commit

    def commit(store: Store, changes: PollChanges) -> None:
        if broken and changes.problems is not None:
            raise StoreError("state.sqlite3: cannot be written: database or disk is full")
        if changes.problems is not None:
            written.append(changes.problems)
        real(store, changes)

    monkeypatch.setattr(Store, "commit", commit)
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


def test_feldera_is_up_while_one_of_the_last_polls_succeeded(poller: SteppedPoller) -> None:
    """Some polls may fail; before the end of the first one nothing is known."""
    assert poller.shown("feldera_up") == {}
    poller.poll()
    assert poller.shown("feldera_up") == {"": 1}
    poller.client.answers = False
    poller.poll(POLICY.freshness - 5)
    assert poller.shown("feldera_up") == {"": 1}
    poller.poll()
    assert poller.shown("feldera_up") == {"": 0}
    poller.client.answers = True
    poller.poll()
    assert poller.shown("feldera_up") == {"": 1}


def test_feldera_is_down_where_its_first_poll_fails(poller: SteppedPoller) -> None:
    """Feldera is down if its first poll fails, as nothing was read before."""
    poller.client.answers = False
    poller.poll()
    assert poller.shown("feldera_up") == {"": 0}


def test_feldera_is_down_where_polls_end_without_a_word(poller: SteppedPoller) -> None:
    """A scrape finds that nothing was published for long; the next successful poll ends it."""
    poller.poll()
    poller.clock.advance(POLICY.freshness)
    assert poller.shown("feldera_up") == {"": 1}
    poller.clock.advance(0.001)
    assert poller.shown("feldera_up") == {"": 0}
    assert poller.publisher.snapshot is poller.publisher.snapshot
    poller.poll()
    assert poller.shown("feldera_up") == {"": 1}


def test_after_a_reload_the_last_poll_still_counts(poller: SteppedPoller) -> None:
    """After a reload another watcher shows what was read a moment ago."""
    poller.poll()
    fleet, _ = poller.publisher.observed[NAME]
    poller.publisher.publish(InstanceWithProblems(fleet, NO_PROBLEMS), float("-inf"))
    assert poller.shown("feldera_up") == {"": 1}
    poller.clock.advance(POLICY.freshness + 1)
    assert poller.shown("feldera_up") == {"": 0}
