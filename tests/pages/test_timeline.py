"""A timeline has the content of the event log: lanes of segments, and the transitions in words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from feldera_exporter.feldera.wire import Event
from feldera_exporter.pages.timeline import MOST, Timeline, storage_since, timeline
from support.page_examples import NOW


def event(
    seconds_ago: float, resources: str = "Provisioned", runtime: str | None = "Running", **fields: Any
) -> Event:
    """Return an event of so many seconds ago, of a pipeline that runs but for the fields named."""
    values: dict[str, Any] = {
        "event_id": f"e{seconds_ago}",
        "recorded_at": datetime.fromtimestamp(NOW / 1e6, UTC) - timedelta(seconds=seconds_ago),
        "deployment_resources_status": resources,
        "deployment_resources_desired_status": "Provisioned",
        "deployment_runtime_status": runtime,
        "deployment_runtime_desired_status": "Running",
        "deployment_has_error": False,
        "program_status": "Success",
        "storage_status": "InUse",
        **fields,
    }
    return Event(**values)


def shown(*newest_last: Event, span: str = "") -> Timeline:
    """Return the timeline of events in their order."""
    result = timeline(newest_last[::-1], span, NOW)
    assert result is not None
    return result


START = (
    event(600, "Stopped", None, storage_status="Cleared"),
    event(480, "Provisioning", None),
    event(360, runtime="Initializing"),
    event(240),
    event(120),
)


def test_an_empty_log_has_no_timeline() -> None:
    """An empty log gives no timeline."""
    assert timeline((), "", NOW) is None


def test_lanes_are_made_of_the_statuses() -> None:
    """A segment goes from its event to the next change; heartbeats add nothing."""
    deployment, program, storage = shown(*START).lanes.values()
    assert [(each.mark.text, each.mark.look) for each in deployment] == [
        ("Stopped", "idle"),
        ("Provisioning", "transient"),
        ("Initializing", "transient"),
        ("Running", "good"),
    ]
    assert [round(each.x) for each in deployment] == [33, 47, 60, 73]
    assert round(deployment[-1].x + deployment[-1].width) == 100
    assert deployment[1].title == "Provisioning for 2m, from 11:52:00 UTC"
    assert [each.mark.text for each in program] == ["Success"]
    assert [each.mark.text for each in storage] == ["Cleared", "InUse"]


def test_a_label_is_written_where_it_fits() -> None:
    """The screens on which a label fits are computed beforehand, without a script."""
    labels = {each.mark.text: each.fits for lane in shown(*START).lanes.values() for each in lane}
    assert labels == {
        "Stopped": "tablet",
        "Provisioning": "desktop",
        "Initializing": "desktop",
        "Running": "phone",
        "Success": "phone",
        "Cleared": "tablet",
        "InUse": "phone",
    }


def test_the_legend() -> None:
    """The legend has the kinds that are drawn."""
    assert shown(*START).looks == (("good", "good"), ("transient", "transient"), ("idle", "idle"))


def test_the_log_knows_the_age_of_the_storage() -> None:
    """If the log ends with the present storage status, it has its beginning, or at least a bound."""
    newest_first = START[::-1]
    seen = NOW - 1_000_000
    assert storage_since(newest_first, "InUse", seen) == NOW - 480_000_000
    assert storage_since(newest_first, "InUse", None) == NOW - 480_000_000
    assert storage_since(newest_first, "Clearing", seen) == seen
    assert storage_since((), "InUse", seen) == seen
    assert storage_since(newest_first[:2], "InUse", seen) == NOW - 240_000_000
    assert storage_since(newest_first[:2], "InUse", NOW - 900_000_000) == NOW - 900_000_000
    assert storage_since(newest_first[:2], "InUse", None) == NOW - 240_000_000


def test_transitions_are_listed_the_newest_first() -> None:
    """Each has how long the status before lasted, unless that began before the log."""
    changes = shown(*START).changes
    assert [(c.what, c.before.text, c.after.text, c.lasted) for c in changes] == [
        ("Deployment", "Initializing", "Running", "2m"),
        ("Deployment", "Provisioning", "Initializing", "2m"),
        ("Deployment", "Stopped", "Provisioning", ""),
        ("Storage", "Cleared", "InUse", ""),
    ]
    assert (changes[0].at.text, changes[0].at.instant) == ("11:56:00", "2026-08-21T11:56:00Z")


def test_errors_are_marked() -> None:
    """Errors are marked where they appeared, not where they were dismissed."""
    result = shown(event(450), event(450, deployment_has_error=True), event(200), span="15m")
    assert result.errors == (50.0,)
    assert [(c.what, c.before.text, c.after.text) for c in result.changes] == [
        ("Error", "set", "none"),
        ("Error", "none", "set"),
    ]


def test_what_is_desired_stays_while_an_event_lacks_it() -> None:
    """Without a stop in between nothing was requested, so there is no transition."""
    result = shown(
        event(90), event(60, "Provisioning", None, deployment_runtime_desired_status=None), event(30)
    )
    assert [each for each in result.changes if each.what == "Desired"] == []


def test_events_of_one_transaction_keep_their_order() -> None:
    """Of two events with one instant, Feldera lists the later one first."""
    first = event(100, deployment_resources_desired_status="Stopped")
    second = event(100, "Stopping", None, deployment_resources_desired_status="Stopped")
    result = shown(event(200), first, second)
    assert [(c.what, c.after.text) for c in result.changes] == [
        ("Deployment", "Stopping"),
        ("Desired", "Stopped"),
    ]


def test_a_span_is_chosen_that_shows_the_last_transition() -> None:
    """The default span has the last transition and what was before it; it is a week at most."""
    assert shown(event(9e5, "Provisioning", None), event(8e5), event(60, runtime="Unavailable")).span == "15m"
    assert shown(event(9e5, "Provisioning", None), event(850)).span == "1h"
    assert shown(*START).span == "15m"
    assert shown(event(9000, "Provisioning", None), event(7000)).span == "6h"
    assert shown(event(9e6, "Provisioning", None), event(8e6)).span == "7d"
    assert shown(event(7000)).span == "15m"
    assert shown(*START, span="24h").span == "24h"
    assert shown(*START, span="no").span == "15m"


def test_what_lies_outside_of_the_span_is_not_drawn() -> None:
    """A segment that begins before the span is drawn from its edge; a short one is still visible."""
    deployment = shown(
        event(9000, "Stopped", None), event(8000, "Provisioning", None), event(300), span="15m"
    ).lanes["Deployment"]
    assert [(s.mark.text, s.x) for s in deployment] == [("Provisioning", 0.0), ("Running", 66.67)]
    events = event(900, "Stopping", None), event(100, "Stopped", None), event(99.9)
    deployment = shown(*events).lanes["Deployment"]
    assert deployment[1].width == 0.15
    assert deployment[1].fits == ""


def test_a_busy_log_is_listed_in_part() -> None:
    """The number of transitions that are left out is given."""
    busy = [event(3600 - n, runtime=("Running", "Unavailable")[n % 2]) for n in range(2 * MOST)]
    result = shown(*busy)
    assert (len(result.changes), result.hidden) == (MOST, MOST - 1)
    assert result.retained == "1h"


def test_an_unknown_status_is_shown_as_such() -> None:
    """An unknown status has its own name."""
    assert shown(event(10, runtime="Unheard")).lanes["Deployment"][0].mark.look == "unknown"


def test_an_event_ahead_of_the_clock_is_not_drawn() -> None:
    """An event ahead of the clock is listed but not drawn."""
    result = shown(event(100), event(-5, "Stopping", None))
    assert [each.mark.text for each in result.lanes["Deployment"]] == ["Running"]
    assert result.changes[0].after.text == "Stopping"


def test_a_start_is_desired_from_when_it_was_requested() -> None:
    """The request is the cause and is below its effect, although its event has no desired runtime status."""
    stopped = event(
        600,
        "Stopped",
        None,
        deployment_resources_desired_status="Stopped",
        deployment_runtime_desired_status=None,
    )
    requested = event(480, "Provisioning", None, deployment_runtime_desired_status=None)
    changes = shown(stopped, requested, event(360)).changes
    assert [(each.what, each.before.text, each.after.text) for each in changes] == [
        ("Deployment", "Provisioning", "Running"),
        ("Desired", "start requested", "Running"),
        ("Deployment", "Stopped", "Provisioning"),
        ("Desired", "Stopped", "start requested"),
    ]
    assert changes[1].before.look == "transient"


@pytest.mark.parametrize(
    ("span", "ticks"),
    [
        ("15m", ["11:45", "11:50", "11:55"]),
        ("1h", ["11:00", "11:15", "11:30", "11:45"]),
        ("24h", ["12:00", "18:00", "00:00", "06:00"]),
        ("7d", ["Aug 15", "Aug 17", "Aug 19"]),
    ],
)
def test_ticks_are_at_round_times(span: str, ticks: list[str]) -> None:
    """No tick is so near the end that its text would overlap the last one."""
    assert [text for _, text in shown(event(60), span=span).ticks] == ticks
