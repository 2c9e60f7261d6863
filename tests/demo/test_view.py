"""What is new in a view is put in words, each change once."""

from dataclasses import replace

from feldera_exporter.demo.view import View, news
from feldera_exporter.problems.alerts import PresentAlert
from feldera_exporter.problems.pipeline_summaries import Urgency
from support.fleets import line

STUCK = PresentAlert("FelderaPipelineStuckProvisioning", "critical", "id-a")
WATCHDOG = PresentAlert("FelderaWatchdog", "none")


def test_nothing_is_new_in_the_same_view() -> None:
    """Nothing is new in an equal view, however much it contains."""
    view = View((("x", "y"),), ("note",), (line("a", STUCK),), (WATCHDOG,), ("notified",))
    assert list(news(view, view)) == []


def test_everything_is_new_in_the_first_view() -> None:
    """Of the first view everything is new: addresses, notes, pipelines, alerts, notifications."""
    view = View(
        (("Prometheus", "http://127.0.0.1:1"),),
        ("note",),
        (line("a", STUCK, error_code="E"),),
        (WATCHDOG,),
        ("notified",),
    )
    assert list(news(View(), view)) == [
        "Prometheus: http://127.0.0.1:1",
        "note",
        "a: Running, program Success, storage InUse, E",
        "a: FelderaPipelineStuckProvisioning fires (critical)",
        "FelderaWatchdog fires (none)",
        "notified",
    ]


def test_every_change_of_a_pipeline_is_new() -> None:
    """A new name, each status, the error and the alerts of a pipeline are changes."""
    old = line("a", STUCK)
    new = replace(
        old, name="b", status="Stopped", program="Pending", storage="Cleared", error_code="E", alerts=()
    )
    assert list(news(View(lines=(old,)), View(lines=(new,)))) == [
        "a: renamed to b",
        "b: Running -> Stopped",
        "b: program Success -> Pending",
        "b: storage InUse -> Cleared",
        "b: error none -> E",
        "b: FelderaPipelineStuckProvisioning is over",
    ]


def test_a_deleted_pipeline_is_new() -> None:
    """A deleted pipeline is a change, also if another one has its name."""
    before, after = View(lines=(line("a"),)), View(lines=(line("a", id="other"),))
    assert list(news(before, after)) == ["a: Running, program Success, storage InUse", "a: deleted"]


def test_an_alert_about_no_pipeline_ends_too() -> None:
    """The end of an alert about no pipeline is a change."""
    assert list(news(View(alerts=(WATCHDOG,)), View(alerts=()))) == ["FelderaWatchdog is over"]


def test_those_with_a_problem_are_counted() -> None:
    """Pipelines with a critical problem and with a wrong status are counted."""
    levels = (Urgency.WELL, Urgency.MOVING, Urgency.WRONG, Urgency.CRITICAL)
    assert View(lines=tuple(line(level.name, level=level) for level in levels)).with_problem == 2
