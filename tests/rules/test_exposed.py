"""What the rules are checked against is what the exporter really exposes."""

import pytest

from feldera_exporter.feldera.answers import OUTCOMES
from feldera_exporter.metrics.catalogue import catalogue
from feldera_exporter.telemetry import INSTANCE, Telemetry
from rules.exposed import PIPELINE, exposed

FOREIGN = {"up", "process_start_time_seconds"}
"""Prometheus's own, and the process's."""


def real() -> dict[str, frozenset[str]]:
    """Return the labels of every family of the exporter, by its name as people query it."""
    shown = catalogue()
    found = {c.family.exposed_name: frozenset({INSTANCE, *c.family.labels}) for c in shown.instances}
    found |= {c.family.exposed_name: frozenset({*PIPELINE, *c.family.labels}) for c in shown.pipelines}
    return found | {each.exposed_name: frozenset(each.labels) for each in Telemetry("", "").descriptions}


@pytest.mark.parametrize("name", sorted(exposed().keys() - FOREIGN))
def test_a_family_is_as_the_rules_take_it(name: str) -> None:
    """It exists, and has exactly the labels that the rules may use."""
    histogram = name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum")
    families = real()
    labels = families.get(name, families.get(histogram))
    assert labels is not None
    assert exposed()[name].labels - {"le"} == labels


def test_the_outcomes_are_the_exporters() -> None:
    """Every outcome that the rules ask for can come."""
    assert exposed()["feldera_exporter_polls_total"].values["outcome"] <= set(OUTCOMES)
