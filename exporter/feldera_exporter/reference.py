"""The metric reference: the tables as a page for people."""

from collections.abc import Iterable, Iterator
from typing import Final, Protocol

from feldera_exporter.feldera.statuses import DIMENSIONS
from feldera_exporter.metrics.catalogue import FACTS, HISTORY, PROGRESS, catalogue
from feldera_exporter.telemetry import Telemetry

_INTRODUCTION: Final = """# Metrics

This page is generated from the tables that the exporter itself reads (`make docs`).

Every sample of a pipeline carries `feldera_instance` (the instance's name in the configuration), `pipeline`
(`pipeline-<uuid>`, as in Feldera's own pipeline metrics) and `pipeline_name`; every sample of an instance carries
`feldera_instance`. Timestamps are seconds since the Unix epoch. Beside these families there are those that every Prometheus
client has: `process_*` of the process, and `python_info` of the interpreter.
"""


class Described(Protocol):
    """What the reference says of a family."""

    @property
    def exposed_name(self) -> str:
        """The name as people query it."""

    @property
    def kind(self) -> str:
        """The type."""

    @property
    def help(self) -> str:
        """The meaning in one sentence."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels beyond those that all samples carry."""


def pages() -> Iterator[str]:
    """Yield the reference piece by piece."""
    shown = catalogue()
    by_facet = {
        facet: [column.family for column in shown.pipelines if column.facet == facet]
        for facet in (FACTS, PROGRESS, HISTORY)
    }
    yield _INTRODUCTION
    yield from _table("What a pipeline is", by_facet[FACTS])
    yield from _table("What moves while nothing happens to a pipeline", by_facet[PROGRESS])
    yield from _table("What was counted of a pipeline", by_facet[HISTORY])
    yield from _table("The instance", [column.family for column in shown.instances])
    yield from _table("The exporter itself", Telemetry("", "").descriptions)
    yield "\n## Statuses\n\n| dimension | statuses |\n|---|---|\n"
    for dimension in DIMENSIONS:
        yield f"| `{dimension.name}` | {', '.join(dimension.statuses)} |\n"


def _table(title: str, families: Iterable[Described]) -> Iterator[str]:
    yield f"\n## {title}\n\n| family | type | labels | meaning |\n|---|---|---|---|\n"
    for family in families:
        names = ", ".join(f"`{label}`" for label in family.labels)
        yield f"| `{family.exposed_name}` | {family.kind} | {names} | {family.help} |\n"
