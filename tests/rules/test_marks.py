"""Every problem is on the exporter's pages once, as its alert with a style and a runbook."""

from typing import Final

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
from feldera_exporter.problems.table import INSTANCE_PROBLEMS, PIPELINE_PROBLEMS
from feldera_exporter.state.pipeline import Pipeline
from support.fleets import NOW, fleet, pipeline

LINKS: Final = Links(runbook=lambda _: True)
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


def mark(name: str, alert: str, severity: str, query: str = "instance=demo") -> FiringAlert:
    """Return how an alert is shown."""
    return FiringAlert(name, severity, LOOKS[severity], f"/runbooks/{alert}?{query}")


@pytest.mark.parametrize("row", PIPELINE_PROBLEMS.values(), ids=lambda row: row.name)
def test_a_pipelines_problem(row: Problem[Pipeline]) -> None:
    """A pipeline's problem is in its row of the fleet page and on its own page, and changes both headlines."""
    label = "Running" if row.labelled else ""
    known = page_state(Occurrence(row.name, label, "id-orders", "orders"))
    expected = mark(row.name, f"FelderaPipeline{row.name}", row.severity, "name=orders&instance=demo")
    [line] = fleet_page(known, PageQuery(), LINKS).rows
    assert line.alerts == (expected,)
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
    assert [(each.firing, each.summary, each.since and each.since.text) for each in page.alerts] == [
        (expected, row.summary, "11:59:00")
    ]
    assert page.look == line.look == ("bad" if row.severity == "critical" else "person")
    assert page.instance.problems == ()


@pytest.mark.parametrize("row", INSTANCE_PROBLEMS.values(), ids=lambda row: row.name)
def test_an_instances_problem(row: Problem[InstanceState]) -> None:
    """An instance's problem is on the fleet page, at its instance and at no pipeline."""
    view = fleet_page(page_state(Occurrence(row.name, "runner" if row.labelled else "")), PageQuery(), LINKS)
    expected = mark(row.name.removeprefix("Pipeline"), f"Feldera{row.name}", row.severity)
    [instance] = view.instances
    assert [(each.firing, each.summary, each.label) for each in instance.problems] == [
        (expected, row.summary, "runner" if row.labelled else "")
    ]
    assert [line.alerts for line in view.rows] == [()]
