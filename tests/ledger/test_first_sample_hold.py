"""The counters of a pipeline that has just appeared stay at 0."""

from msgspec.structs import replace

from feldera_exporter.history.fold import fold
from feldera_exporter.history.history import Counts
from feldera_exporter.history.status_time import growth, seconds
from feldera_exporter.ledger.visible_counters import HOLD, at_zero, is_held
from support.history_examples import begun, instant, seen

LOG = [
    seen(1, "Provisioning"),
    seen(2, "Provisioned/Running"),
    seen(3, "Stopping!"),
]
COUNTED = replace(fold(begun(0, "Stopped"), LOG, instant(0))[0], appeared=instant(5))


def test_for_two_minutes() -> None:
    """Counters are held at 0 for two minutes from when the pipeline appeared."""
    assert [is_held(COUNTED, instant(at)) for at in (0, 5, 124.9, 125, 1000)] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_every_counter_is_0_and_the_rest_as_it_is() -> None:
    """Every counter is 0; statuses, their beginnings and the present error are shown."""
    shown = at_zero(COUNTED)
    assert (COUNTED.errors.count, COUNTED.errors.present) == (1, True)
    assert (shown.counts, shown.errors.count) == (Counts(), 0)
    assert (shown.statuses, shown.since) == (COUNTED.statuses, COUNTED.since)
    assert replace(shown.errors, count=1) == COUNTED.errors
    for as_of in (instant(0), instant(5), COUNTED.appeared + HOLD - 1):
        assert not any(seconds(shown.status_time, as_of).values())
        assert growth(shown.status_time).at(as_of) == 0
