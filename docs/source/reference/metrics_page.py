"""The page about the metrics, `docs/metrics.md`, from the tables of families."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from feldera_exporter.exposition.family import Family
from feldera_exporter.feldera.statuses import DIMENSIONS
from feldera_exporter.metrics.catalogue import catalogue
from feldera_exporter.telemetry import Description, Telemetry

_INTRODUCTION: Final = """# Metrics

This page is generated from the exporter's tables of metrics (`make docs`).

Every sample of a pipeline has the labels `feldera_instance` (the instance's name in the configuration), `pipeline`
(`pipeline-<uuid>`, as in Feldera's own pipeline metrics) and `pipeline_name`. Every sample of an instance has the label
`feldera_instance`. The column "labels" lists further labels. Timestamps are seconds since the Unix epoch. The exporter also
exports the usual metrics of a Prometheus client library: `process_*` and `python_info`.
"""


def page() -> str:
    """Return the page, as Markdown."""
    return "".join(_parts())


def _parts() -> Iterator[str]:
    shown = catalogue()
    by_attribute = {
        attribute: [column.family for column in shown.pipelines if column.attribute == attribute]
        for attribute in ("facts", "progress", "history")
    }
    yield _INTRODUCTION
    yield from _table("Present state of a pipeline", by_attribute["facts"])
    yield from _table("Progress of a pipeline", by_attribute["progress"])
    yield from _table("History of a pipeline", by_attribute["history"])
    yield from _table("Instance", [column.family for column in shown.instances])
    yield from _table("Exporter", Telemetry("", "").descriptions)
    yield "\n## Statuses\n\n| dimension | statuses |\n|---|---|\n"
    for dimension in DIMENSIONS:
        yield f"| `{dimension.name}` | {', '.join(dimension.statuses)} |\n"


def _table(title: str, families: Iterable[Family[Any] | Description]) -> Iterator[str]:
    yield f"\n## {title}\n\n| family | type | labels | meaning |\n|---|---|---|---|\n"
    for family in families:
        names = ", ".join(f"`{label}`" for label in family.labels)
        yield f"| `{family.exposed_name}` | {family.kind} | {names} | {family.help} |\n"
