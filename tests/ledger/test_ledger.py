"""The rules of the ledger, one by one."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from feldera_exporter.errors import StoreError
from feldera_exporter.feldera.pipeline_list import Unreadable
from feldera_exporter.history.status_time import watched
from feldera_exporter.ledger import Ledger
from feldera_exporter.ledger.ledger import MARGIN
from feldera_exporter.micros import SECOND
from feldera_exporter.store.store import Store
from support.clocks import ManualClock
from support.exporter_driver import ExporterDriver, InProcessApi
from support.ground_truth import RecordedFeldera
from support.plans import INSTANT


class TwoPipelines:
    """An instance of two running pipelines, `a` and `b`, that is watched."""

    def __init__(self, store: Store | None = None) -> None:
        self.clock = ManualClock()
        self.feldera = RecordedFeldera(self.clock, plan=INSTANT)
        for name in ("a", "b"):
            self.feldera.create(name)
        self.clock.advance(60)
        for name in ("a", "b"):
            self.feldera.start(name)
        self.clock.advance(60)
        self.api = InProcessApi(self.feldera)
        self.driver = ExporterDriver(store=store)
        self.body = b""

    def poll(
        self,
        seconds: float = 5,
        *,
        event_log: bool = True,
        without: str = "",
        spoilt: str = "",
        missing: str = "",
    ) -> None:
        """Let time pass and poll; a name may be missing in the list, or its element unreadable, without a field."""
        self.clock.advance(seconds)
        at = self.feldera.settle()
        body = self.api.list()
        if without or spoilt:
            rows = msgspec.json.decode(body)
            rows = [row for row in rows if row["name"] != without]
            for row in rows:
                if row["name"] == spoilt:
                    row["program_status"] = 7
                    row.pop(missing, None)
            body = msgspec.json.encode(rows)
        self.driver.poll(body, at, self.api.log if event_log else None)

    def rest(self) -> None:
        """Poll until nothing waits, neither to be read nor to be shown."""
        for _ in range(4):
            self.poll(40)
        assert not self.driver.ledger.pending

    def pause(self, name: str = "a") -> None:
        """Pause a pipeline and resume it."""
        self.feldera.pause(name)
        self.clock.advance(5)
        self.feldera.resume(name)
        self.clock.advance(5)

    def paused(self, name: str = "a") -> int:
        """How often a pipeline was paused by the counters of the ledger."""
        key = self.feldera.get(name).id
        return self.driver.ledger._histories[key].counts.runtime.get("Paused", 0)

    def shown(self, name: str = "a") -> int:
        """How often a pipeline was paused by the exposition."""
        return self.driver.ledger.published().histories[self.id(name)].counts.runtime.get("Paused", 0)

    def id(self, name: str) -> str:
        """Return a pipeline's id."""
        return self.feldera.get(name).id

    def watched_for(self, name: str) -> float:
        """Return the seconds for which a pipeline's status is known."""
        return (
            watched(
                self.driver.ledger._histories[self.id(name)].status_time, self.driver.fleet.counters.as_of
            )
            / SECOND
        )


@pytest.fixture
def instance() -> TwoPipelines:
    """Return an instance without a store."""
    return TwoPipelines()


@pytest.fixture
def kept(tmp_path: Path) -> Any:
    """Yield an instance with a store."""
    store = Store.open(tmp_path)
    yield TwoPipelines(store)
    store.close()


def test_counters_of_a_new_pipeline_stay_at_0_for_two_minutes(instance: TwoPipelines) -> None:
    """Transitions are counted at once and shown after two minutes; everything else is shown as it is."""
    instance.poll()
    instance.pause()
    instance.feldera.inject.crash("b", "RunnerCheckError")
    instance.poll(10)
    for seconds in (50, 49):
        instance.poll(seconds)
        assert (instance.paused(), instance.shown()) == (1, 0)
        assert {value for text, value in _counters(instance) if "pipeline_name=" in text} == {0}
    [error] = [line for line in instance.driver.scrape().splitlines() if "error_timestamp_seconds{" in line]
    assert float(error.rsplit(" ", 1)[1]) * SECOND == instance.feldera.truth[instance.id("b")].appeared[0].at
    instance.poll(1)
    assert (instance.paused(), instance.shown()) == (1, 1)
    spent = [value for text, value in _counters(instance) if "status_seconds_total" in text and '"a"' in text]
    assert sum(spent) == pytest.approx(instance.watched_for("a"), abs=1)


def test_a_later_pipeline_stays_at_0_by_itself(instance: TwoPipelines) -> None:
    """Counters of a later pipeline are held while those of the others go on."""
    instance.rest()
    instance.feldera.create("c")
    instance.poll()
    instance.pause()
    instance.poll()
    instance.poll(104)
    assert instance.driver.ledger._histories[instance.id("c")].counts.program["Pending", "CompilingSql"] == 1
    assert not instance.driver.ledger.published().histories[instance.id("c")].counts.program
    assert instance.shown() == 1
    instance.poll(1)
    assert (
        instance.driver.ledger.published()
        .histories[instance.id("c")]
        .counts.program["Pending", "CompilingSql"]
        == 1
    )


def test_a_pipeline_of_an_outage_stays_at_0_from_when_it_is_seen(kept: TwoPipelines) -> None:
    """A pipeline created in an outage is held from its first list; stored ones go on."""
    kept.rest()
    kept.feldera.create("c")
    kept.pause()
    kept.driver.restart()
    kept.poll(3600)
    kept.poll()
    assert kept.shown() == 1
    assert kept.driver.ledger._histories[kept.id("c")].counts.program
    assert not kept.driver.ledger.published().histories[kept.id("c")].counts.program


def test_a_restart_within_the_two_minutes(kept: TwoPipelines) -> None:
    """A restart neither ends the hold nor begins it again."""
    kept.poll()
    kept.pause()
    kept.poll()
    for _ in range(3):
        kept.poll(30)
        kept.driver.restart()
        assert (kept.paused(), kept.shown()) == (1, 0)
    kept.poll(15)
    assert kept.shown() == 1
    kept.driver.restart()
    assert kept.shown() == 1


def test_time_that_was_not_shown_is_exact(instance: TwoPipelines) -> None:
    """Time before the first list is not credited to a status that had ended by then."""
    instance.rest()
    instance.feldera.create("c")
    instance.clock.advance(1)
    instance.feldera.start("c")
    instance.rest()
    spent = instance.driver.ledger.published().histories[instance.id("c")].status_time
    assert spent.status == "Running"
    assert not spent.held


def test_a_restart_reads_only_what_differs(kept: TwoPipelines) -> None:
    """After a restart only changed logs are read, and counting goes on."""
    kept.rest()
    kept.pause("b")
    kept.driver.restart()
    before = kept.driver.event_requests
    kept.rest()
    assert kept.driver.event_requests == before + 1
    assert (kept.paused("a"), kept.paused("b")) == (0, 1)


def test_what_waits_is_still_waiting_after_a_restart(kept: TwoPipelines) -> None:
    """A log that was still to be read is so after a restart, and no further time is credited."""
    kept.rest()
    kept.pause()
    kept.driver.budget = 0
    kept.driver.restart()
    kept.poll()
    waiting = dict(kept.driver.ledger.pending)
    pipeline_id = kept.feldera.get("a").id
    credited = kept.driver.ledger.published().credited[pipeline_id]
    kept.poll()
    kept.driver.restart()
    assert kept.driver.ledger.pending == waiting
    assert (
        kept.driver.ledger.published().credited[pipeline_id]
        == credited
        == (waiting[pipeline_id] - MARGIN) // SECOND * SECOND
    )
    kept.driver.budget = 9
    kept.driver.restart()
    kept.rest()
    assert kept.paused() == 1


def test_a_pipeline_that_was_not_listed_for_a_while_goes_on(kept: TwoPipelines) -> None:
    """What it did meanwhile is counted once, and no counter falls."""
    kept.rest()
    kept.pause()
    kept.rest()
    before = dict(_seconds(kept))
    kept.poll(without="a")
    assert kept.feldera.get("a").id not in kept.driver.ledger.published().histories
    kept.pause()
    for _ in range(3):
        kept.poll(60, without="a")
    kept.driver.restart()
    kept.poll(without="a")
    kept.rest()
    assert kept.paused() == kept.shown() == 2
    after = _seconds(kept)
    assert all(after[status] >= seconds for status, seconds in before.items())


def test_a_gap_while_a_pipeline_was_not_listed_is_counted(kept: TwoPipelines) -> None:
    """The log must reach back to when the pipeline was last listed."""
    kept.feldera.retention = 30
    kept.rest()
    kept.poll(without="a")
    for _ in range(30):
        kept.pause()
    kept.poll(60, without="a")
    kept.rest()
    assert kept.driver.ledger.totals.gaps == 1


def test_without_a_store_it_begins_again(instance: TwoPipelines) -> None:
    """Without a store a pipeline that returns is counted from its new list."""
    instance.rest()
    instance.pause()
    instance.rest()
    instance.poll(without="a")
    instance.rest()
    assert (instance.paused("a"), instance.paused("b")) == (0, 0)


def test_what_cannot_be_stored_is_kept_until_it_can(
    kept: TwoPipelines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pipelines that vanish while the disk is full lose no count, whether they are listed again before or after."""

    def fail(*_: object) -> None:
        raise StoreError("database or disk is full")

    for name in ("a", "b"):
        kept.rest()
        kept.pause(name)
    kept.rest()
    with monkeypatch.context() as full:
        full.setattr(Store, "commit", fail)
        for name in ("a", "b"):
            kept.pause(name)
            kept.poll()
            kept.pause(name)
            kept.poll(without=name)
        kept.poll(without="b")
        assert (kept.paused("a"), kept.id("b") in kept.driver.ledger._histories) == (3, False)
    kept.poll(without="b")
    kept.driver.restart()
    kept.rest()
    assert (kept.paused("a"), kept.paused("b")) == (3, 3)
    kept.driver.restart()
    kept.rest()
    assert (kept.paused("a"), kept.paused("b")) == (3, 3)
    assert kept.driver.ledger.totals.gaps == 0


def test_an_element_that_cannot_be_read_hides_nothing(instance: TwoPipelines) -> None:
    """No time is credited meanwhile, the pipeline stays, and its log is read afterwards."""
    instance.rest()
    pipeline_id = instance.feldera.get("a").id
    instance.poll(spoilt="a")
    credited = instance.driver.ledger.published().credited[pipeline_id]
    instance.pause()
    instance.poll(spoilt="a")
    instance.poll(spoilt="a")
    assert instance.driver.ledger.published().credited[pipeline_id] == credited
    instance.rest()
    assert instance.paused() == 1
    assert pipeline_id not in instance.driver.ledger.published().credited


@pytest.mark.parametrize("missing", ["", "id", "name"])
def test_of_an_element_that_cannot_be_read_the_log_is(instance: TwoPipelines, missing: str) -> None:
    """Its events are counted, with the code of an error, whether the id or the name is readable."""
    instance.rest()
    instance.pause()
    instance.rest()
    pipeline_id = instance.feldera.get("a").id
    for times in (2, 3):
        instance.pause()
        instance.poll(spoilt="a", missing=missing)
        assert instance.paused() == instance.shown() == times
        [pipeline] = [
            each for each in instance.driver.fleet.pipelines.values() if each.facts.row.id == pipeline_id
        ]
        assert pipeline.history.counts.runtime["Paused"] == times
        assert list(instance.driver.ledger.pending) == [pipeline_id]
    instance.feldera.inject.crash("a", "RuntimeError.WorkerPanic")
    instance.clock.advance(30)
    instance.poll(spoilt="a", missing=missing)
    assert instance.driver.ledger.totals.errors["RuntimeError.WorkerPanic"] == 1
    assert list(instance.driver.fleet.unreadable) == ["a"]
    instance.rest()
    assert instance.paused() == 3
    assert not instance.driver.fleet.unreadable
    assert instance.driver.ledger._histories[pipeline_id].errors.count == 1


def test_a_first_log_is_believed_once_a_list_says_whose_it_is(instance: TwoPipelines) -> None:
    """A first log is used once an element has both id and name."""
    instance.rest()
    instance.pause()
    for missing in ("name", "name", ""):
        assert instance.paused() == 0
        instance.poll(spoilt="a", missing=missing)
    assert instance.paused() == 1


def test_after_a_restart_an_element_that_cannot_be_read_says_whose_log_to_read(kept: TwoPipelines) -> None:
    """With id and name its log is read; without a name it cannot be requested."""
    kept.rest()
    kept.pause()
    kept.rest()
    kept.driver.restart()
    kept.pause()
    kept.poll(spoilt="a", missing="name")
    assert kept.paused() == 1
    assert kept.driver.fleet.unreadable == (kept.feldera.get("a").id,)
    kept.poll(spoilt="a")
    assert kept.paused() == 2
    assert kept.driver.fleet.unreadable == ("a",)


def test_the_log_of_a_pipeline_that_was_never_listed_is_not_read(instance: TwoPipelines) -> None:
    """A pipeline is counted from its first readable row."""
    instance.rest()
    instance.feldera.create("c")
    for _ in range(3):
        instance.poll(spoilt="c")
        assert not instance.driver.ledger.pending
        assert instance.driver.fleet.unreadable == ("c",)
    instance.rest()
    history = instance.driver.ledger._histories[instance.feldera.get("c").id]
    assert (history.statuses.program, history.counts.program) == ("Success", {})


def test_a_name_that_is_used_again_is_another_pipeline(instance: TwoPipelines) -> None:
    """A pipeline with a used name is counted from its creation."""
    instance.rest()
    instance.feldera.stop("a", force=True)
    instance.clock.advance(30)
    instance.feldera.clear("a")
    instance.clock.advance(30)
    instance.feldera.delete("a")
    instance.feldera.create("a")
    instance.rest()
    pipeline_id = instance.feldera.get("a").id
    history = instance.driver.ledger._histories[pipeline_id]
    assert history.counts.program["Pending", "CompilingSql"] == 1
    assert history.status_time.began == instance.feldera.truth[pipeline_id].created_at
    assert not history.counts.resources


def test_a_pipeline_created_just_before_a_list_is_counted_from_its_creation(instance: TwoPipelines) -> None:
    """The exporter's time of the list may be later than the list."""
    instance.rest()
    at = instance.feldera.settle()
    body = instance.api.list()
    instance.feldera.create("c")
    instance.driver.poll(body, at + SECOND, instance.api.log)
    instance.clock.advance(3)
    instance.rest()
    pipeline_id = instance.feldera.get("c").id
    assert instance.driver.ledger._histories[pipeline_id].counts.program["Pending", "CompilingSql"] == 1


def test_lists_alone_are_folded_and_credited(instance: TwoPipelines) -> None:
    """Without an event log no log is pending; with it, every pipeline's time goes on."""
    instance.rest()
    instance.feldera.pause("a")
    instance.poll(event_log=False)
    assert not instance.driver.ledger.pending
    assert not instance.driver.ledger.published().credited
    assert instance.paused() == 1
    instance.poll(event_log=False, spoilt="b")
    instance.poll(event_log=False)
    assert not instance.driver.ledger.published().credited
    instance.feldera.resume("a")
    instance.clock.advance(5)
    instance.pause()
    instance.rest()
    assert instance.paused() == 2


def test_answers_kept_for_later_are_worth_nothing_without_a_log(instance: TwoPipelines) -> None:
    """Kept answers are dropped when a server loses its event log in a downgrade."""
    instance.poll()
    instance.pause()
    instance.poll()
    assert instance.driver.ledger._deferred
    instance.poll(event_log=False)
    assert not [*instance.driver.ledger.confirmed_answers()]


def test_the_first_list_reads_the_times_of_errors_alone(instance: TwoPipelines) -> None:
    """The first list reads logs only to date errors, and counts nothing before itself."""
    instance.feldera.inject.crash("a", "RuntimeError.WorkerPanic")
    instance.clock.advance(100)
    instance.rest()
    pipeline_id = instance.feldera.get("a").id
    errors = instance.driver.ledger._histories[pipeline_id].errors
    assert (errors.count, errors.at) == (0, instance.feldera.truth[pipeline_id].appeared[0].at)
    assert instance.driver.ledger.totals.errors == {"RuntimeError.WorkerPanic": 0}
    assert instance.driver.event_requests == 1


def test_a_new_code_is_shown_at_0_for_two_minutes(kept: TwoPipelines) -> None:
    """A new code is held at 0 for two minutes; a stored one goes on."""
    kept.rest()
    kept.feldera.inject.crash("a", "RunnerCheckError")
    kept.clock.advance(60)
    kept.poll()
    kept.poll(115)
    assert kept.driver.ledger.totals.errors == {"RunnerCheckError": 1}
    assert kept.driver.ledger.published().totals.errors == {"RunnerCheckError": 0}
    kept.poll()
    assert kept.driver.ledger.published().totals.errors == {"RunnerCheckError": 1}
    kept.driver.restart()
    assert kept.driver.ledger.published().totals.errors == {"RunnerCheckError": 1}


def test_a_list_that_says_the_same_costs_nothing(instance: TwoPipelines) -> None:
    """For equal rows no pipeline is compared, and the same values are exported."""
    instance.rest()
    rows = instance.driver.rows
    before = instance.driver.ledger.published().histories
    to_read = instance.driver.ledger.observe_list(rows, {}, instance.feldera.settle(), event_log=True)
    assert not to_read
    assert instance.driver.ledger.unknown_ids(rows) == ()
    changes = instance.driver.ledger.changes()
    assert not (changes.histories)
    assert not (changes.waiting)
    assert not (changes.vanished)
    assert instance.driver.ledger.published().histories is before


def test_what_exceeds_the_budget_is_read_after_the_next_list(instance: TwoPipelines) -> None:
    """The longest waiting log is read first; one that cannot be requested takes no budget."""
    instance.rest()
    for name in ("a", "b"):
        instance.pause(name)
    instance.rest()
    ledger = instance.driver.ledger
    ledger._budget = 1
    for name in ("a", "b"):
        instance.pause(name)
    for counted in (3, 4):
        instance.poll()
        assert instance.paused("a") + instance.paused("b") == counted
    assert not ledger.pending
    waiting = instance.id("b")
    ledger.pending = {instance.id("a"): 10, waiting: 20}
    rows = {waiting: instance.driver.rows[waiting]}
    unreadable = {instance.id("a"): Unreadable(instance.id("a"), None, "", identified=False)}
    assert ledger.observe_list(rows, unreadable, instance.feldera.settle(), event_log=True) == [waiting]
    assert ledger.pending == {instance.id("a"): 10, waiting: 20}


def test_a_pipeline_whose_log_is_read_goes_to_the_end_of_the_queue() -> None:
    """A log that never agrees with its row delays no other."""
    ledger = Ledger("x")
    ledger.pending = {"a": 1, "b": 2}
    ledger.requeue("a")
    assert list(ledger.pending) == ["b", "a"]


def _seconds(instance: TwoPipelines) -> dict[str, float]:
    """Return the time shown of pipeline `a` by status."""
    return {
        text.split('status="')[1].split('"')[0]: value
        for text, value in _counters(instance)
        if text.startswith("feldera_pipeline_deployment_status_seconds_total{")
        and 'pipeline_name="a"' in text
    }


def _counters(instance: TwoPipelines) -> list[tuple[str, float]]:
    """Return every counter that is shown, with its value."""
    lines = (line.rsplit(" ", 1) for line in instance.driver.scrape().splitlines() if "_total{" in line)
    return [(text, float(value)) for text, value in lines]
