"""What the edges of conditions share."""

from typing import Any, Final

from rules.facts import Pipeline, fleet
from rules.scenarios import BY_NAME, Firing, Scenario
from rules.world import INSTANCE, STEP, View, exporter

AT: Final = 3600
"""The second at which most of these look."""


def of_pipeline(name: str, cell: str = INSTANCE, **labels: str) -> Firing:
    """Return what fires about the pipeline of an instance."""
    own = {"severity": BY_NAME[name].severity, "feldera_instance": cell, "team": "data", "tier": "gold"}
    return name, own | {"pipeline": "pipeline-etl", "pipeline_name": "etl"} | labels


def of_instance(name: str, cell: str = INSTANCE) -> Firing:
    """Return what fires about an instance."""
    return name, {"severity": BY_NAME[name].severity, "feldera_instance": cell}


def steady(**facts: Any) -> View:
    """Return a view of one pipeline that stays as it is."""
    known = fleet(Pipeline(**facts))
    return lambda _: known


def boundary(name: str, at: int, view: View, **labels: str) -> Scenario:
    """Return a scenario in which an alert is silent at a second and fires right after it."""
    on = (of_pipeline(name, **labels),)
    return Scenario("each of its ages has its own boundary", (exporter(view),), {at: (), at + STEP: on})
