"""The fleet page's view: the worst first, filtered, and loud about what is not known."""

from typing import Any

import pytest

from feldera_exporter.config import AlertChoice
from feldera_exporter.feldera.platform import License, Platform, Service
from feldera_exporter.history.recent import Recent
from feldera_exporter.pages.bars import Bar
from feldera_exporter.pages.marks import Mark
from feldera_exporter.pages.overview import MOST, overview
from feldera_exporter.pages.query import Query
from feldera_exporter.pages.sight import Seen
from pages.sights import LINKS, NOW, failed, pipeline, seen, stuck

MINUTE = 60_000_000
ALL = (
    pipeline("well", tags=["team:Data"]),
    failed("broken"),
    stuck(tags=["team:web", "tier:1"]),
    pipeline("soon", 9, deployment_status="Provisioning"),
    pipeline(
        "typo", program_status="SqlError", deployment_status="Stopped", deployment_desired_status="Stopped"
    ),
)


def names(query: Query, known: Seen | None = None) -> list[str]:
    """Return the names of the pipelines that a filter leaves."""
    return [row.name for row in overview(known or seen(*ALL), query, LINKS).rows]


def test_the_worst_comes_first() -> None:
    """What needs somebody now, what needs a look, what moves, the rest."""
    view = overview(seen(*ALL), Query(), LINKS)
    assert [row.name for row in view.rows] == ["stuck", "broken", "typo", "soon", "well"]
    assert [(tile.text, tile.count) for tile in view.tiles] == [
        ("need somebody now", 2),
        ("needs a look", 1),
        ("in transition", 1),
        ("well", 1),
    ]
    assert (view.headline, view.look, view.total) == ("2 pipelines need somebody now", "bad", 5)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(name="O"), ["broken", "typo", "soon"]),
        (Query(status="Provisioning"), ["stuck", "soon"]),
        (Query(status="SqlError"), ["typo"]),
        (Query(team="web"), ["stuck"]),
        (Query(need="look"), ["typo"]),
        (Query(need="look", name="typo"), ["typo"]),
        (Query(instance="demo", team="Data"), ["well"]),
        (Query(instance="other"), []),
    ],
)
def test_filters_leave_what_fits_all_of_them(query: Query, expected: list[str]) -> None:
    """The name by a part of it in any case, the others exactly; the counts stay those of the fleet."""
    assert names(query) == expected
    assert overview(seen(*ALL), query, LINKS).total == 5


def test_what_happens_again_and_again_calls_somebody() -> None:
    """Though the pipeline runs at the moment."""
    thrice = Recent(restarts=(NOW - 3 * MINUTE, NOW - 2 * MINUTE, NOW - MINUTE))
    view = overview(seen(*ALL, pipeline("loops", recent=thrice)), Query(), LINKS)
    assert [row.name for row in view.rows[:3]] == ["stuck", "broken", "loops"]
    assert (view.rows[2].need, view.rows[2].look) == ("needs somebody now", "bad")
    assert [(each.name, each.severity) for each in view.rows[2].alerts] == [("CrashLooping", "critical")]
    assert view.headline == "3 pipelines need somebody now"


def test_the_filter_is_told_in_words() -> None:
    """Each part with the address that leaves it out."""
    query = Query(name="a", status="Running", need="well", refresh="off")
    chosen = overview(seen(*ALL), query, LINKS).chosen
    assert [(each.what, each.value) for each in chosen] == [
        ("name has", "a"),
        ("status", "Running"),
        ("", "well"),
    ]
    assert chosen[0].without == "?status=Running&need=well&refresh=off"


def test_one_chooses_from_what_there_is() -> None:
    """And from what was chosen, though it is gone."""
    view = overview(seen(*ALL), Query(status="Paused", team="gone"), LINKS)
    assert view.statuses == ("Paused", "Provisioning", "Running", "SqlError", "Stopped")
    assert view.teams == ("Data", "gone", "web")
    assert view.names == ()
    assert overview(seen(*ALL), Query(instance="gone"), LINKS).names == ("demo", "gone")


def test_a_row_says_what_is_unusual() -> None:
    """Status against its limit, the alert with its runbook, the team; not that the program is compiled."""
    row = overview(seen(*ALL), Query(name="stuck"), LINKS).rows[0]
    assert row.status == Mark("Provisioning", "transient")
    assert row.bar == Bar("Provisioning", "12m", "10m", 100, "over", "over by 2m")
    assert (row.desired, row.program, row.storage, row.team, row.tier) == ("Running", None, None, "web", "1")
    (alert,) = row.alerts
    assert (alert.name, alert.severity, alert.look) == ("StuckProvisioning", "critical", "bad")
    assert alert.runbook == "/runbooks/FelderaPipelineStuckProvisioning"
    assert row.address == "/pipelines/demo/stuck"


def test_bars_say_how_near_the_limit_is() -> None:
    """In words, too; a status that may last has no bar."""
    bars = {row.name: row.bar for row in overview(seen(*ALL), Query(), LINKS).rows}
    assert (bars["soon"].percent, bars["soon"].verdict) == (90, "near its limit")
    assert (bars["well"].percent, bars["well"].verdict) == (None, "")
    (clearing,) = overview(seen(pipeline("x", clearing=3, storage_status="Clearing")), Query(), LINKS).rows
    assert clearing.storage == Mark("Clearing", "transient")
    assert (clearing.bar.status, clearing.bar.percent, clearing.bar.look) == ("Clearing", 20, "well")


def test_an_alert_that_is_switched_off_calls_nobody() -> None:
    """The status still needs a look: it is over its limit."""
    choices = {"FelderaPipelineStuckProvisioning": AlertChoice(enabled=False)}
    view = overview(seen(stuck(), choices=choices), Query(), LINKS)
    assert (view.headline, view.look, view.rows[0].alerts) == ("1 pipeline needs a look", "person", ())


@pytest.mark.parametrize(
    ("fields", "headline", "state", "warning"),
    [
        ({"up": None, "size": None, "read_at": 0}, "Waiting for Feldera", "waiting", "has not been read yet"),
        ({"up": False, "size": None, "read_at": 0}, "Feldera does not answer", "down", "never has since"),
        ({"up": False, "size": None}, "Feldera does not answer", "down", "It last did 3m ago"),
        ({"up": True, "size": 0, "now": NOW}, "No pipelines", "up", ""),
    ],
)
def test_an_instance_without_pipelines(
    fields: dict[str, Any], headline: str, state: str, warning: str
) -> None:
    """Whether it has none, or nobody knows, are different things."""
    view = overview(seen(**{"now": NOW + 3 * MINUTE, **fields}), Query(), LINKS)
    assert (view.headline, view.instances[0].state) == (headline, state)
    assert warning in view.instances[0].warning
    assert bool(warning) == bool(view.instances[0].warning)


def test_old_data_is_loud() -> None:
    """With a failed poll at once, without one after a minute."""
    down = overview(seen(pipeline("a"), up=False, now=NOW + 2 * MINUTE), Query(), LINKS)
    assert down.headline == "Feldera does not answer"
    assert down.instances[0].warning == "Feldera does not answer. What is shown is 2m old."
    old = overview(seen(pipeline("a"), now=NOW + 2 * MINUTE), Query(), LINKS)
    assert (old.headline, old.instances[0].warning) == ("All pipelines are well", "What is shown is 2m old.")
    assert overview(seen(pipeline("a")), Query(), LINKS).instances[0].warning == ""


def test_unhealthy_services_are_named() -> None:
    """Beside the version."""
    services = {"runner": Service(False, 1, None), "api": Service(True, 1, None)}
    platform = Platform(version="0.337.0", edition="Open source", services=services)
    (shown,) = overview(seen(platform=platform), Query(), LINKS).instances
    assert (shown.unhealthy, shown.version, shown.stale) == ("runner", "0.337.0 Open source", "")


def test_a_stale_monitor_is_loud() -> None:
    """What it said last of the services is no comfort."""
    (shown,) = overview(seen(platform=Platform(stale=True)), Query(), LINKS).instances
    assert shown.stale == "Feldera's own monitor is stale: nobody looks whether its services are healthy."
    assert overview(seen(platform=Platform(stale=False)), Query(), LINKS).instances[0].stale == ""


@pytest.mark.parametrize("is_dev", [False, True])
def test_a_development_license_is_said(is_dev: bool) -> None:  # noqa: FBT001
    """Beside version and edition: nobody may rely on such an instance."""
    told = License(valid=True, expiry=None, is_dev=is_dev)
    platform = Platform(version="0.375.0", edition="EnterpriseDev", license=told)
    (shown,) = overview(seen(platform=platform), Query(), LINKS).instances
    assert shown.version == "0.375.0 EnterpriseDev" + (" with a development license" if is_dev else "")


def test_who_cannot_be_read_is_named() -> None:
    """Nobody is told that all is well; of very many a few are named."""
    view = overview(seen(pipeline("a"), unreadable=("b",)), Query(), LINKS)
    assert (view.headline, view.look) == ("1 pipeline cannot be read", "person")
    assert (view.instances[0].unreadable, view.instances[0].hidden) == (("b",), 0)
    many = overview(seen(stuck(), unreadable=tuple(f"p{n}" for n in range(1000))), Query(), LINKS)
    assert many.headline == "1 pipeline needs somebody now"
    assert (len(many.instances[0].unreadable), many.instances[0].hidden) == (10, 990)


def test_more_than_a_page_holds() -> None:
    """The worst are shown, the others are counted."""
    many = [pipeline(f"p{n:04}") for n in range(MOST + 5)]
    view = overview(seen(*many, stuck()), Query(), LINKS)
    assert (len(view.rows), view.hidden, view.found) == (MOST, 6, "1,006 pipelines")
    assert view.rows[0].name == "stuck"


def test_several_instances_are_one_list() -> None:
    """The worst of all comes first."""
    one, other = seen(pipeline("a")), seen(stuck("b"))
    both = Seen([*one.sights, *other.sights], {}, NOW)
    assert names(Query(), both) == ["b", "a"]
    assert overview(both, Query(), LINKS).names == ("demo",)
