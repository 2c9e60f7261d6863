"""Every problem is on the exporter's pages once, as its alert with a style and a runbook."""

from collections.abc import Iterable
from typing import Any, Final

import pytest

from feldera_exporter.feldera.program_details import ProgramDetails
from feldera_exporter.pages.alerts import FiringAlert
from feldera_exporter.pages.fleet_page import fleet_page
from feldera_exporter.pages.instance_view import PageState, WatchedInstance
from feldera_exporter.pages.latest_events import LatestEvents
from feldera_exporter.pages.links import Links
from feldera_exporter.pages.page_query import PageQuery
from feldera_exporter.pages.pipeline_page import pipeline_page
from feldera_exporter.problems.evaluate import Evaluated, Occurrence, Problems
from feldera_exporter.problems.instance_conditions import InstanceState
from feldera_exporter.problems.model import Problem
from feldera_exporter.problems.pipeline_summaries import Urgency
from feldera_exporter.problems.table import INSTANCE_PROBLEMS, PIPELINE_PROBLEMS
from feldera_exporter.state.pipeline import Pipeline
from support.fleets import NOW, fleet, pipeline

LINKS: Final = Links()
LOOKS: Final = {"critical": "bad", "warning": "person", "info": "idle"}
"""By severity, the look of its mark."""


def page_state(occurrence: Occurrence) -> PageState:
    """Return an instance with one pipeline and this problem."""
    present = {occurrence: NOW - 60_000_000}
    evaluated = {occurrence.pipeline_id: Evaluated(present, None, NOW)} if occurrence.pipeline_id else {}
    problems = Problems(present=present, evaluated=evaluated)
    return PageState(
        [WatchedInstance(fleet(pipeline("orders")), problems, NOW, "http://feldera.invalid")], {}, NOW
    )


def mark(name: str, alert: str, row: Problem[Any], query: str = "instance=demo") -> tuple[str, ...]:
    """Return how an alert is shown."""
    return name, row.severity, LOOKS[row.severity], f"/runbooks/{alert}?{query}", row.summary


def marks(alerts: Iterable[FiringAlert]) -> list[tuple[str, ...]]:
    """Return how alerts are shown, as `mark` does."""
    return [(each.name, each.severity, each.look, each.runbook, each.summary) for each in alerts]


@pytest.mark.parametrize("row", PIPELINE_PROBLEMS.values(), ids=lambda row: row.name)
def test_a_pipelines_problem(row: Problem[Pipeline]) -> None:
    """A pipeline's problem is in its row of the fleet page and on its own page, and changes both headlines."""
    label = "Running" if row.labelled else ""
    known = page_state(Occurrence(row.name, label, "id-orders", "orders"))
    expected = mark(row.name, f"FelderaPipeline{row.name}", row, "name=orders&instance=demo")
    [line] = fleet_page(known, PageQuery(), LINKS).rows
    assert marks(line.alerts(LINKS)) == [expected]
    [watched] = known.instances
    page = pipeline_page(
        watched,
        watched.fleet.pipelines["id-orders"],
        LatestEvents(),
        ProgramDetails(),
        known,
        PageQuery(),
        LINKS,
    )
    assert marks(page.alerts) == [expected]
    assert [each.since and each.since.text for each in page.alerts] == ["11:59:00"]
    level = Urgency.CRITICAL if row.severity == "critical" else Urgency.WRONG
    assert page.summary.level == line.summary.level == level
    assert page.instance.problems == ()


@pytest.mark.parametrize("row", INSTANCE_PROBLEMS.values(), ids=lambda row: row.name)
def test_an_instances_problem(row: Problem[InstanceState]) -> None:
    """An instance's problem is on the fleet page, at its instance and at no pipeline."""
    view = fleet_page(page_state(Occurrence(row.name, "runner" if row.labelled else "")), PageQuery(), LINKS)
    expected = mark(row.name.removeprefix("Pipeline"), f"Feldera{row.name}", row)
    [instance] = view.instances
    assert marks(instance.problems) == [expected]
    assert [each.label for each in instance.problems] == ["runner" if row.labelled else ""]
    assert [line.summary.alerts for line in view.rows] == [()]
