"""Compares the counts with what a simulated Feldera really did."""

from collections import Counter
from collections.abc import Iterable

from feldera_exporter.feldera.statuses import PROGRAM, RESOURCES, RUNTIME, STORAGE, TIMED
from feldera_exporter.history.effects import ErrorAppeared, StatusEnded
from feldera_exporter.history.history import History
from feldera_exporter.history.instance_totals import DurationHistogram, InstanceTotals, add
from feldera_exporter.history.status_time import exact, watched
from support.ground_truth import Life

PAIRED = ((RESOURCES, "resources"), (PROGRAM, "program"), (STORAGE, "storage"))


def compare_counts(life: Life, history: History, after: int) -> None:
    """Compare what a history counts with a life, as far as that was committed after an instant."""
    for dimension, field in PAIRED:
        real = Counter((t.before, t.after) for t in life.of(dimension.name) if t.committed > after)
        assert Counter(getattr(history.counts, field)) == real, dimension.name
    entries = Counter(t.after for t in life.of(RUNTIME.name) if t.committed > after and t.after)
    assert Counter(history.counts.runtime) == entries
    errors = [edge for edge in life.appeared if edge.committed > after]
    assert history.errors.count == len(errors)
    if history.errors.present:
        assert history.errors.code == life.appeared[-1].code
    spent = history.status_time
    assert sum(exact(spent, spent.since).values()) == watched(spent, spent.since)


def at_most(life: Life, history: History) -> None:
    """Check that a history with gaps counts nothing twice.

    A gap means that events are missing or that their order is a guess: then a status may be entered once more than it was. A
    step that Feldera does not allow is a jump over what is missing. What was before the watch may be counted: where the clock
    stepped back, no time says which events those are.
    """
    for dimension, field in PAIRED:
        real = Counter((t.before, t.after) for t in life.of(dimension.name))
        for pair, count in getattr(history.counts, field).items():
            assert count <= real[pair] + history.gaps or pair not in dimension.transitions, (pair, count)
    entries = Counter(t.after for t in life.of(RUNTIME.name))
    for status, count in history.counts.runtime.items():
        assert count <= entries[status] + history.gaps, (status, count)
    assert history.errors.count <= len(life.appeared) + history.gaps


def compare_time(life: Life, history: History) -> None:
    """Compare every closed interval, to the microsecond."""
    spent, until = history.status_time, history.status_time.since
    real = Counter[str | None]()
    for status, begin, end in life.intervals(until):
        real[status] += max(0, end - max(begin, spent.began))
    assert +Counter(exact(spent, until)) == +real
    if history.errors.present:
        assert history.errors.at == life.appeared[-1].at


def totals_of(lives: Iterable[tuple[Life, int]]) -> InstanceTotals:
    """Return the errors by code and the durations that lives make together, each from an instant on."""
    totals = InstanceTotals()
    for life, after in lives:
        edges = [edge for edge in life.appeared if edge.committed > after]
        totals = add(totals, [ErrorAppeared(None, edge.code) for edge in edges])
        for dimension in (RESOURCES, PROGRAM, STORAGE, RUNTIME):
            begun = life.created_at
            for transition in life.of(dimension.name):
                if transition.before in TIMED and transition.committed > after:
                    lasted = max(0, transition.at - begun)
                    totals = add(totals, [StatusEnded(transition.before, lasted)])
                begun = transition.at
    return totals


def within(low: InstanceTotals, counted: InstanceTotals, high: InstanceTotals) -> None:
    """Check that no error and no duration is missing from what `low` knows, nor is there one that `high` does not."""
    assert Counter(low.errors) <= Counter(counted.errors) <= Counter(high.errors)
    assert low.durations.keys() <= counted.durations.keys()
    for status, durations in counted.durations.items():
        least = low.durations.get(status, DurationHistogram())
        most = high.durations.get(status, DurationHistogram())
        assert least.micros <= durations.micros <= most.micros, (status, least, durations, most)
        for a, b, c in zip(least.buckets, durations.buckets, most.buckets, strict=True):
            assert a <= b <= c, status
