"""The demo's fleet has a past, so that there is something to see at once."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest

from feldera_exporter import units
from feldera_exporter.demo import configurations
from feldera_exporter.demo.clock import StagedClock, machine
from feldera_exporter.demo.settings import Settings
from feldera_exporter.demo.simulated_fleet import LEADS, beginning, prepared_fleet
from feldera_exporter.simulator.events import EventStatuses
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.pipeline import SimulatedPipeline
from feldera_exporter.simulator.scenarios import SCENARIOS

PRESENT = 1_787_313_600_000_000
MINUTE = 60_000_000


@pytest.fixture(scope="module")
def feldera() -> Feldera:
    """Return the demo's instance at the present, without the random pipelines."""
    return prepared_fleet(StagedClock(beginning(PRESENT), lambda: PRESENT), 0, 0)


def later(pipeline: SimulatedPipeline) -> Iterator[tuple[EventStatuses, EventStatuses]]:
    """Yield the statuses before and after each event that a pipeline had after the present."""
    return ((old.statuses, new.statuses) for old, new in pairwise(pipeline.log) if new.recorded_at > PRESENT)


def test_every_story_is_on_the_stage() -> None:
    """Each scenario has its time to begin, and nothing else has one."""
    assert set(LEADS) == {scenario.name for scenario in SCENARIOS}


@pytest.mark.parametrize(
    ("name", "status", "minutes"),
    [
        ("orders", "Running", 199),
        ("big-join", "Provisioning", 12),
        ("schema-change", "AwaitingApproval", 20),
        ("sessions", "Unavailable", 6),
        ("backfill-2025", "Bootstrapping", 369),
        ("recommendations", "Paused", 51),
        ("old-stream", "Stopping", 17),
        ("warehouse-sync", "Stopped", 14),
    ],
)
def test_a_story_stands_where_it_should(feldera: Feldera, name: str, status: str, minutes: float) -> None:
    """Each scenario is in its status since the right number of minutes."""
    row = feldera.get(name).row
    assert row.status == status
    assert (PRESENT - row.status_since) / MINUTE == pytest.approx(minutes, abs=0.5)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("fraud-scores", "RuntimeError.WorkerPanic"),
        ("no-capacity", "AutomatonProvisioningTimeout"),
        ("udf-model", "StartFailedDueToFailedCompilation"),
    ],
)
def test_an_error_is_there_at_the_present(feldera: Feldera, name: str, code: str) -> None:
    """The pipeline has failed and was not started since."""
    error = feldera.get(name).row.error
    assert error is not None
    assert error.error_code == code


def test_the_rest_of_what_can_go_wrong_is_there_too(feldera: Feldera) -> None:
    """A program does not compile, storage cannot be cleared, and a pipeline restarts again and again."""
    assert feldera.get("new-report").row.program_status == "SqlError"
    assert feldera.get("old-archive").row.storage_status == "Clearing"
    statuses = [event.statuses.runtime for event in feldera.get("sensors").log]
    assert Counter(pairwise(statuses))["Running", "Unavailable"] > 10


def test_two_minutes_show_things_begin_and_end() -> None:
    """In two minutes pipelines get stuck and recover, fail and are dismissed, start, stop, come and go."""
    present = PRESENT
    feldera = prepared_fleet(StagedClock(beginning(PRESENT), lambda: present), 0, 0)

    def at(seconds: float, name: str) -> str:
        nonlocal present
        present = PRESENT + round(seconds * 1_000_000)
        return next((each.row.status for each in feldera.pipelines() if each.row.name == name), "none")

    def failed() -> bool:
        return feldera.get("ledger").row.error is not None

    limit = units.parse_duration(configurations.LIMITS["search-index"]["Provisioning"])
    assert (at(0, "search-index"), at(0, "ledger"), failed()) == ("Provisioning", "Running", False)
    assert (at(0, "nightly-report"), at(0, "ci-smoke")) == ("Running", "Running")
    assert (PRESENT - feldera.get("search-index").row.status_since) / 1e6 < limit
    assert (at(18, "ci-smoke"), at(24, "nightly-report")) == ("Stopped", "Stopped")
    assert (at(25, "ledger"), failed()) == ("Stopped", True)
    # Long enough beyond its limit for two scrapes and two evaluations of the shipped configuration.
    assert at(52, "search-index") == "Provisioning"
    assert (present - feldera.get("search-index").row.status_since) / 1e6 > limit + 2 * 15
    assert at(58, "ci-smoke") == "none"
    assert (at(61, "ledger"), failed()) == ("Stopped", False)
    assert (at(70, "search-index"), at(70, "nightly-report")) == ("Running", "Running")
    assert (at(75, "ci-smoke"), at(95, "ledger")) == ("Stopped", "Running")


def test_the_stage_is_full_but_not_crowded() -> None:
    """With the default flags there are about twenty pipelines."""
    feldera = prepared_fleet(StagedClock(beginning(PRESENT), lambda: PRESENT), 0, Settings().pipelines)
    assert 20 <= len(feldera.pipelines()) <= 25


def test_in_the_first_minute_many_stories_go_on() -> None:
    """In the first minute a quarter of the scenarios change, without the random pipelines."""
    present = PRESENT
    feldera = prepared_fleet(StagedClock(beginning(PRESENT), lambda: present), 0, 0)
    before = feldera.pipelines()
    present += MINUTE
    after = feldera.pipelines()
    moved = {each.row.name for each in after if any(old != new for old, new in later(each))}
    moved |= {each.row.name for each in before if not each.alive}
    assert len(moved) >= 6, moved


def test_life_goes_on_every_few_seconds() -> None:
    """In two minutes something changes at least every twelve seconds on average."""
    present = PRESENT
    feldera = prepared_fleet(StagedClock(beginning(PRESENT), lambda: present), 1, 8)
    present += 2 * MINUTE
    feldera.settle()
    happened = [
        old
        for each in feldera.pipelines()
        for old, new in later(each)
        if (old.resources, old.runtime) != (new.resources, new.runtime)
    ]
    assert len(happened) > 10


def test_a_seed_is_reproducible() -> None:
    """With the same seed all changes are the same, with another one they are not."""

    def changes_of(seed: int) -> Counter[tuple[str, str, int]]:
        feldera = prepared_fleet(StagedClock(beginning(PRESENT), lambda: PRESENT), seed, 5)
        return Counter(
            (each.row.name, each.row.status, each.row.status_since) for each in feldera.pipelines()
        )

    assert changes_of(1) == changes_of(1)
    assert changes_of(1) != changes_of(2)


def test_the_clock_stands_until_it_is_released_and_never_goes_back() -> None:
    """After its release the clock follows the machine's, but never goes back."""
    times = iter([50, 70, 60])
    clock = StagedClock(40, lambda: next(times))
    assert (clock.now(), clock.now()) == (40, 40)
    clock.release()
    assert [clock.now() for _ in range(3)] == [50, 70, 70]


def test_the_machines_time_is_in_microseconds() -> None:
    """The time is in microseconds since the epoch: later than when this was written."""
    assert machine() > 1_700_000_000_000_000
