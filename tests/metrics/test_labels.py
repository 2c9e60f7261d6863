"""No label of the exporter has the name of a conventional target label."""

from typing import Final

from feldera_exporter.metrics.catalogue import KNOWN_FAMILIES, catalogue
from feldera_exporter.metrics.exposition_sections import _pipeline_labels
from feldera_exporter.telemetry import Telemetry

OF_TARGETS: Final = frozenset(
    {
        "job",
        "instance",
        "namespace",
        "service",
        "pod",
        "container",
        "endpoint",
        "node",
        "cluster",
        "env",
    }
)
"""The labels that Prometheus, its operator and usual configurations give to targets: where a sample has one of these too,
Prometheus renames it, and no rule or board finds it."""


def test_no_label_is_one_of_a_target() -> None:
    """No label of the tables and of the exporter's own registry is a label of targets."""
    shown = catalogue()
    labels = {
        column.family.exposed_name: column.family.labels for column in (*shown.instances, *shown.pipelines)
    }
    labels |= {family.exposed_name: family.labels for family in Telemetry("", "").descriptions}
    assert labels.keys() > KNOWN_FAMILIES
    found = {
        (name, label) for name, of_family in labels.items() for label in of_family if label in OF_TARGETS
    }
    assert found == set()


def test_nor_is_one_that_all_samples_carry() -> None:
    """No label of all samples of an instance or a pipeline is a label of targets."""
    shared = {pair.partition("=")[0] for pair in _pipeline_labels("prod", "1", "orders").split(",")}
    assert shared == {"feldera_instance", "pipeline", "pipeline_name"}
    assert not shared & OF_TARGETS
