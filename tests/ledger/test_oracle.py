"""The exporter without network against what a simulated Feldera really did, seed by seed."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from feldera_exporter.feldera.statuses import RESOURCES, RUNTIME
from feldera_exporter.history.instance_totals import DurationHistogram, InstanceTotals
from feldera_exporter.history.status_time import exact
from support.tools import example_count
from support.true_counts import at_most, compare_counts, compare_time, totals_of, within
from support.watched_feldera import (
    AHEAD,
    CROWDED,
    OPEN_SOURCE,
    SYNCHRONISED,
    WAITING,
    WatchedFeldera,
    WatchSettings,
    WorkloadWithoutDeletions,
)

SEEDS = int(os.environ.get("SEEDS", example_count(50)))
"""How many seeds are tried; each is reproduced by its number, for example with `-k 'truth[17]'`."""

EXACT = (OPEN_SOURCE, WAITING, SYNCHRONISED)
RATES = (0.5, 1.0, 2.0)
"""Things tried per second; each makes up to a dozen transitions."""


@contextmanager
def watched_to_the_end(settings: WatchSettings, folder: Path) -> Iterator[WatchedFeldera]:
    """Yield an instance that was watched to its end."""
    watched_feldera = WatchedFeldera(settings, folder)
    try:
        watched_feldera.run()
        yield watched_feldera
    finally:
        watched_feldera.close()


def bounds(watched: WatchedFeldera) -> tuple[InstanceTotals, InstanceTotals]:
    """Return what must have been counted at least, as it can be read to the end, and what at most."""
    lives, since = watched.feldera.truth.lives, watched.since
    alive = watched.driver.rows
    return (
        totals_of((lives[key], since(key)) for key in alive),
        totals_of((life, since(key)) for key, life in lives.items()),
    )


@pytest.mark.parametrize("seed", range(SEEDS))
def test_what_is_counted_equals_the_truth(seed: int, tmp_path: Path) -> None:
    """For each seed, every count and every closed interval is exact once the log was read to its end.

    A seed brings restarts, failing polls and answers, lock waits, renames, swaps, deletions, re-creations, clocks that
    are not quite right, and budgets too small for what happens. Meanwhile no counter that is scraped ever falls,
    and each is 0 when it is first read.
    """
    settings = WatchSettings(seed, EXACT[seed % 3], rate=RATES[seed // 3 % 3])
    with watched_to_the_end(settings, tmp_path) as watched:
        assert not watched.driver.ledger.pending
        assert watched.driver.ledger.totals.gaps == 0
        assert watched.histories.keys() == watched.feldera.database.pipelines.keys()
        for key, history in watched.histories.items():
            compare_counts(watched.feldera.truth[key], history, watched.since(key))
            compare_time(watched.feldera.truth[key], history)
        low, high = bounds(watched)
        within(low, watched.driver.ledger.totals, high)


@pytest.mark.parametrize("seed", range(max(SEEDS // 10, 2)))
def test_clocks_apart_cost_an_instant_and_no_count(seed: int, tmp_path: Path) -> None:
    """The order of transactions that got the lock within what the clocks differ cannot be known.

    Then a transition may be given the instant of a neighbour that says the same: the time in each status is out by
    the time between the two, all of them together by nothing. No count is out, but where both orders make sense and
    a status goes back and forth: then the flows into and out of each status still balance.
    """
    settings = WatchSettings(seed, (CROWDED, AHEAD)[seed % 2], rate=RATES[seed // 2 % 3])
    with watched_to_the_end(settings, tmp_path) as watched:
        exactly = 0
        for key, history in watched.histories.items():
            life, after = watched.feldera.truth[key], watched.since(key)
            try:
                compare_counts(life, history, after)
                exactly += 1
            except AssertionError:
                assert history.statuses.combined == watched.feldera.database.pipelines[key].row.status
                for counts in (history.counts.resources, history.counts.program, history.counts.storage):
                    flows = Counter[str]()
                    for (old, new), number in counts.items():
                        flows[new] += number
                        flows[old] -= number
                    assert all(-1 <= flow <= 1 for flow in flows.values())
            spent = exact(history.status_time, history.status_time.since)
            assert all(micros >= 0 for micros in spent.values())
        assert exactly >= len(watched.histories) - 1


@pytest.mark.parametrize("seed", range(max(SEEDS // 10, 1)))
def test_errors_and_durations_equal_the_truth(seed: int, tmp_path: Path) -> None:
    """Where no pipeline is deleted, every error under its code and every duration in its bucket is counted once."""
    with watched_to_the_end(
        WatchSettings(seed, EXACT[seed % 3], polls=80, workload=WorkloadWithoutDeletions), tmp_path
    ) as watched:
        low, high = bounds(watched)
        assert low == high
        counted = watched.driver.ledger.totals
        within(low, counted, high)
        assert sum(counted.errors.values()) > 3
        assert sum(sum(each.buckets) for each in counted.durations.values()) > 50


@pytest.mark.parametrize("seed", range(max(SEEDS // 8, 1)))
def test_what_was_purged_is_a_gap(seed: int, tmp_path: Path) -> None:
    """With a short retention and long outages, a pipeline without a gap is exact; a gap never invents anything."""
    settings = WatchSettings(
        seed,
        retention=30,
        pauses=(5, 5, 5, 400),
        polls=60,
        workload=WorkloadWithoutDeletions,
        budgets=(200,),
        outages=0,
    )
    with watched_to_the_end(settings, tmp_path) as watched:
        gaps = 0
        for key, history in watched.histories.items():
            life = watched.feldera.truth[key]
            gaps += history.gaps
            assert Counter(history.counts.resources) <= life.counts(RESOURCES.name)
            if not history.gaps:
                compare_counts(life, history, watched.since(key))
                compare_time(life, history)
        assert gaps == watched.driver.ledger.totals.gaps > 0


@pytest.mark.parametrize("seed", range(max(SEEDS // 4, 2)))
def test_a_clock_that_steps_hides_nothing(seed: int, tmp_path: Path) -> None:
    """Feldera's clock steps back and forth by seconds to hours: each pipeline is counted exactly, or has a gap.

    Also with a gap, nothing is counted twice.
    """
    settings = WatchSettings(
        seed,
        EXACT[seed % 3],
        rate=RATES[seed // 3 % 3],
        retention=(720, 60)[seed // 9 % 2],
        polls=60,
        workload=WorkloadWithoutDeletions,
        steps=True,
    )
    with watched_to_the_end(settings, tmp_path) as watched:
        assert not watched.driver.ledger.pending
        for key, history in watched.histories.items():
            assert history.statuses.combined == watched.feldera.database.pipelines[key].row.status
            if history.gaps:
                at_most(watched.feldera.truth[key], history)
            else:
                compare_counts(watched.feldera.truth[key], history, watched.since(key))
        totals = watched.driver.ledger.totals
        assert totals.gaps == sum(history.gaps for history in watched.histories.values())
        real = totals_of((life, -1) for life in watched.feldera.truth.lives.values())
        assert sum(totals.errors.values()) <= sum(real.errors.values()) + totals.gaps
        for status, durations in totals.durations.items():
            most = real.durations.get(status, DurationHistogram())
            assert sum(durations.buckets) <= sum(most.buckets) + totals.gaps


@pytest.mark.parametrize("seed", range(2))
def test_lists_alone_miss_what_lies_between_them(seed: int, tmp_path: Path) -> None:
    """Without an event log the rows are folded: what they show is counted once, and time adds up."""
    with watched_to_the_end(
        WatchSettings(seed, event_log=False, workload=WorkloadWithoutDeletions), tmp_path
    ) as watched:
        assert watched.driver.event_requests == 0
        counted, real = Counter[str](), Counter[str]()
        for key, history in watched.histories.items():
            life = watched.feldera.truth[key]
            entries = Counter(t.after for t in life.of(RUNTIME.name) if t.after)
            assert Counter(history.counts.runtime) <= entries
            counted += Counter(history.counts.runtime)
            real += entries
            assert history.statuses.combined == watched.feldera.database.pipelines[key].row.status
        assert 0 < counted.total() < real.total()
