"""The view of the fleet page: the worst first, filtered, with notes about what is not known."""

import math
import re
from dataclasses import replace
from typing import Any

import pytest

from feldera_exporter.config import AlertChoice
from feldera_exporter.feldera.platform import License, Platform, Service
from feldera_exporter.history.recent_activity import RecentActivity
from feldera_exporter.pages.fleet_page import MOST, fleet_page
from feldera_exporter.pages.instance_view import PageState
from feldera_exporter.pages.page_query import PageQuery, address
from feldera_exporter.problems.pipeline_summaries import Urgency
from feldera_exporter.state.pipeline import StatusLimits
from support.page_examples import LINKS, NOW, failed, page_state, pipeline, stuck
from support.served_pages import FixedPageSource, get

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


def names(query: PageQuery, known: PageState | None = None) -> list[str]:
    """Return the names of the pipelines that a filter leaves."""
    return [row.summary.name for row in fleet_page(known or page_state(*ALL), query, LINKS).rows]


def cells(known: PageState, name: str) -> list[str]:
    """Return the texts in a pipeline's row of the page; a badge is its look and its text."""
    html = get(FixedPageSource(known), "/").text
    (row,) = (each for each in html.split("<tr")[2:] if f"<bdi>{name}</bdi></a>" in each)
    row = re.sub(r'<span class="[ab] (\w+)">', r"\1: ", row.partition("</tr>")[0])
    texts = (re.sub(r"<[^>]*>", " ", each) for each in re.split(r"<td>|<th[^>]*>", row)[1:])
    return [" ".join(text.split()).replace(" :", ":") for text in texts]


def test_the_worst_comes_first() -> None:
    """Pipelines that need action come first, then warnings, then transitions, then the rest."""
    view = fleet_page(page_state(*ALL), PageQuery(), LINKS)
    assert [row.summary.name for row in view.rows] == ["stuck", "broken", "typo", "soon", "well"]
    assert [(level.text(count), count) for level, count in view.tiles] == [
        ("need action", 2),
        ("has a warning", 1),
        ("is changing", 1),
        ("is healthy", 1),
    ]
    assert (view.headline, view.look, view.total) == ("2 pipelines need action", "bad", 5)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (PageQuery(name="O"), ["broken", "typo", "soon"]),
        (PageQuery(status="Provisioning"), ["stuck", "soon"]),
        (PageQuery(status="SqlError"), ["typo"]),
        (PageQuery(team="web"), ["stuck"]),
        (PageQuery(level="warning"), ["typo"]),
        (PageQuery(level="warning", name="typo"), ["typo"]),
        (PageQuery(instance="demo", team="Data"), ["well"]),
        (PageQuery(instance="other"), []),
    ],
)
def test_filters_leave_what_fits_all_of_them(query: PageQuery, expected: list[str]) -> None:
    """The name matches in part and in any case, other filters exactly; counts are the fleet's."""
    assert names(query) == expected
    assert fleet_page(page_state(*ALL), query, LINKS).total == 5


def test_the_clock_is_that_of_the_program_while_it_compiles() -> None:
    """While compiling, the age is the program's, also without a limit; then the deployment's."""
    compiling = pipeline("a", program_status="CompilingRust", deployment_status="Stopped")
    unlimited = StatusLimits(*[math.inf] * 5)
    free = replace(compiling, facts=replace(compiling.facts, limits=unlimited))
    for known, status in ((compiling, "CompilingRust"), (free, "CompilingRust"), (pipeline("b"), "Running")):
        assert fleet_page(page_state(known), PageQuery(), LINKS).rows[0].summary.wait.status == status


def test_a_crash_loop_needs_action() -> None:
    """A pipeline that fails repeatedly needs action although it runs at the moment."""
    thrice = RecentActivity(restarts=(NOW - 3 * MINUTE, NOW - 2 * MINUTE, NOW - MINUTE))
    view = fleet_page(page_state(*ALL, pipeline("loops", recent=thrice)), PageQuery(), LINKS)
    assert [row.summary.name for row in view.rows[:3]] == ["stuck", "broken", "loops"]
    assert view.rows[2].summary.level == Urgency.CRITICAL
    assert [(each.name, each.severity) for each in view.rows[2].alerts(LINKS)] == [
        ("CrashLooping", "critical")
    ]
    assert view.headline == "3 pipelines need action"


def test_the_filter_in_words() -> None:
    """Each part of the filter is named, with the address that leaves it out."""
    query = PageQuery(name="a", status="Running", level="healthy", refresh="off")
    html = get(FixedPageSource(page_state(*ALL)), f"/{address(query)}").text
    assert re.findall(r'<li><a href="([^"]*)">([a-z ]*) <bdi>([^<]*)</bdi>', html) == [
        ("?status=Running&amp;level=healthy&amp;refresh=off", "name has", "a"),
        ("?name=a&amp;level=healthy&amp;refresh=off", "status", "Running"),
        ("?name=a&amp;status=Running&amp;refresh=off", "", "is healthy"),
    ]


def test_one_chooses_from_what_there_is() -> None:
    """The choices are the values that exist, and the chosen one even if it is gone."""
    view = fleet_page(page_state(*ALL), PageQuery(status="Paused", team="gone"), LINKS)
    assert view.statuses == ("Paused", "Provisioning", "Running", "SqlError", "Stopped")
    assert view.teams == ("Data", "gone", "web")
    assert view.names == ()
    assert fleet_page(page_state(*ALL), PageQuery(instance="gone"), LINKS).names == ("demo", "gone")


def test_a_row_says_what_is_unusual() -> None:
    """A row has the status with its limit, the alert with its runbook and the team, but no compiled program."""
    assert cells(page_state(*ALL), "stuck") == [
        "stuck web tier 1",
        "transient: Provisioning should be Running",
        "12m of 10m over by 2m",
        "bad: StuckProvisioning critical",
    ]
    assert cells(page_state(*ALL), "typo")[1] == "idle: Stopped bad: SqlError"
    (alert,) = fleet_page(page_state(*ALL), PageQuery(name="stuck"), LINKS).rows[0].alerts(LINKS)
    assert (alert.name, alert.severity, alert.look) == ("StuckProvisioning", "critical", "bad")
    assert alert.runbook == "/runbooks/FelderaPipelineStuckProvisioning?name=stuck&instance=demo"
    html = get(FixedPageSource(page_state(*ALL)), "/").text
    assert f'<a href="{alert.runbook}">'.replace("&", "&amp;") in html
    assert '<a href="/pipelines/demo/stuck">' in html


def test_bars_say_how_near_the_limit_is() -> None:
    """Bars have a text as well; a status without a limit has no bar."""
    known = page_state(*ALL, pipeline("x", clearing=3, storage_status="Clearing"))
    assert cells(known, "soon")[2] == "9m of 10m near its limit"
    assert cells(known, "well")[2] == "5m"
    assert cells(known, "x")[1:3] == ["good: Running transient: Clearing", "Clearing for 3m of 15m"]
    html = get(FixedPageSource(known), "/").text
    bars = re.findall(r'<svg class="bar (\w+)" aria-hidden="true"><rect width="(\d+)%"/>', html)
    assert bars == [("over", "100"), ("near", "90"), ("well", "20")]


def test_an_alert_that_is_switched_off_needs_no_action() -> None:
    """The status still has a warning, as it is over its limit."""
    choices = {"FelderaPipelineStuckProvisioning": AlertChoice(enabled=False)}
    view = fleet_page(page_state(stuck(), choices=choices), PageQuery(), LINKS)
    assert (view.headline, view.look) == ("1 pipeline has a warning", "person")
    assert view.rows[0].summary.alerts == ()


@pytest.mark.parametrize(
    ("fields", "headline", "state", "warning"),
    [
        ({"up": None, "size": None, "read_at": 0}, "Waiting for Feldera", "waiting", "has not been read yet"),
        (
            {"up": False, "size": None, "read_at": 0},
            "No data. Feldera has not answered since this exporter started.",
            "down",
            "No data",
        ),
        ({"up": False, "size": None}, "No current data. Last answer 3m ago.", "down", "Last answer 3m ago"),
        ({"up": True, "size": 0, "now": NOW}, "No pipelines", "up", ""),
    ],
)
def test_an_instance_without_pipelines(
    fields: dict[str, Any], headline: str, state: str, warning: str
) -> None:
    """The page says that there are no pipelines, or that this is not known."""
    view = fleet_page(page_state(**{"now": NOW + 3 * MINUTE, **fields}), PageQuery(), LINKS)
    assert (view.headline, view.instances[0].state) == (headline, state)
    assert warning in view.instances[0].warning
    assert bool(warning) == bool(view.instances[0].warning)


def test_old_data_is_marked() -> None:
    """Old data is marked after a failed poll at once, without a poll after a minute."""
    down = fleet_page(page_state(pipeline("a"), up=False, now=NOW + 2 * MINUTE), PageQuery(), LINKS)
    assert down.headline == "No current data. Last answer 2m ago."
    old = fleet_page(page_state(pipeline("a"), now=NOW + 2 * MINUTE), PageQuery(), LINKS)
    assert old.headline == old.instances[0].warning == "No current data. Last answer 2m ago."
    assert fleet_page(page_state(pipeline("a")), PageQuery(), LINKS).instances[0].warning == ""


def test_unhealthy_services_are_named() -> None:
    """Unhealthy services are named beside the version."""
    services = {"runner": Service(False, 1, None), "api": Service(True, 1, None)}
    platform = Platform(version="0.337.0", edition="Open source", services=services)
    (shown,) = fleet_page(page_state(platform=platform), PageQuery(), LINKS).instances
    assert (shown.unhealthy, shown.version, shown.stale) == ("runner", "0.337.0 Open source", "")


def test_a_stale_monitor_is_marked() -> None:
    """If Feldera's monitor is stale, the health of the services is not known."""
    (shown,) = fleet_page(page_state(platform=Platform(stale=True)), PageQuery(), LINKS).instances
    assert shown.stale == "Feldera's own monitor is stale: the health of its services is not known."
    assert fleet_page(page_state(platform=Platform(stale=False)), PageQuery(), LINKS).instances[0].stale == ""


@pytest.mark.parametrize("is_dev", [False, True])
def test_a_development_license_is_said(is_dev: bool) -> None:  # noqa: FBT001
    """A development license is named beside version and edition, as it is not for production."""
    license_ = License(valid=True, expiry=None, is_dev=is_dev)
    platform = Platform(version="0.375.0", edition="EnterpriseDev", license=license_)
    (shown,) = fleet_page(page_state(platform=platform), PageQuery(), LINKS).instances
    assert shown.version == "0.375.0 EnterpriseDev" + (" with a development license" if is_dev else "")


def test_who_cannot_be_read_is_named() -> None:
    """Some of the unreadable pipelines are named, and the headline does not say that all is well."""
    view = fleet_page(page_state(pipeline("a"), unreadable=("b",)), PageQuery(), LINKS)
    assert (view.headline, view.look) == ("1 pipeline cannot be read", "person")
    assert view.instances[0].unreadable == ("b",)
    known = page_state(stuck(), unreadable=tuple(f"p{n}" * 50 for n in range(1000)))
    assert fleet_page(known, PageQuery(), LINKS).headline == "1 pipeline needs action"
    html = get(FixedPageSource(known), "/").text
    assert re.findall(r"<bdi>((?:p\d){10,})</bdi>", html) == [f"p{n}" * 40 for n in range(10)]
    assert "</bdi> and 990 more. What is shown of them is old." in html


def test_more_than_a_page_holds() -> None:
    """The worst are shown, the others are counted."""
    many = [pipeline(f"p{n:04}") for n in range(MOST + 5)]
    view = fleet_page(page_state(*many, stuck()), PageQuery(), LINKS)
    assert (len(view.rows), view.matching) == (MOST, MOST + 6)
    assert view.rows[0].summary.name == "stuck"
    html = get(FixedPageSource(page_state(*many, stuck())), "/").text
    assert "1,006 pipelines, most urgent first" in html
    assert "6 more: filter to see them." in html


def test_several_instances_are_one_list() -> None:
    """The pipelines of all instances are one list, the worst first."""
    first, second = page_state(pipeline("a")), page_state(stuck("b"))
    both = PageState([*first.instances, *second.instances], {}, NOW)
    assert names(PageQuery(), both) == ["b", "a"]
    assert fleet_page(both, PageQuery(), LINKS).names == ("demo",)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", ["broken", "soon", "stuck", "typo", "well"]),
        ("status", ["stuck", "soon", "well", "typo", "broken"]),
        ("age", ["stuck", "soon", "broken", "typo", "well"]),
    ],
)
def test_columns_sort(sort: str, expected: list[str]) -> None:
    """The address gives the column to sort by; equal values stay sorted by urgency."""
    assert names(PageQuery(sort=sort)) == expected


def test_a_row_has_the_beginning_of_the_message() -> None:
    """A row has the beginning of the message in one line."""
    known = page_state(pipeline("a"), failed(message="It broke.\nHere."))
    rows = fleet_page(known, PageQuery(), LINKS).rows
    assert [(row.summary.name, row.error) for row in rows] == [
        ("failed", ("WorkerPanic", "It broke.…")),
        ("a", ("", "")),
    ]
