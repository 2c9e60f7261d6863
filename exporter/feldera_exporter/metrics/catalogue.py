"""The catalogue: which families are shown, and which facet of a pipeline each reads."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from feldera_exporter.exposition.family import Family
from feldera_exporter.exposition.segment import Column
from feldera_exporter.history.history import History
from feldera_exporter.metrics import (
    fleet_counters,
    instance_gauges,
    pipeline_counters,
    pipeline_gauges,
    problem_gauges,
    progress_metrics,
)

DEFAULT_TAG_LABELS: Final = ("team", "tier", "expect")

# The places of the facets, in the order in which the page lists them.
FACTS, PROGRESS, HISTORY = 0, 1, 2
# Those of an instance.
FLEET, PROBLEMS = 0, 1


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The columns of the tables of an instance.

    Attributes:
        instances: what is said of the instance; facets `Fleet`, `Problems`.
        pipelines: what is said of a pipeline; facets `Facts`, `Progress`, `History`.
        ticking: the family of these that has a sample which moves with time itself; None where it is excluded.
    """

    instances: tuple[Column, ...]
    pipelines: tuple[Column, ...]
    ticking: Family[History] | None


def catalogue(tag_labels: Iterable[str] = DEFAULT_TAG_LABELS, exclude: Collection[str] = ()) -> Catalogue:
    """Return the catalogue without the families of these names.

    Args:
        tag_labels: the labels that tags set on `feldera_pipeline_info`.
        exclude: names of families as people query them, counters with `_total`.
    """

    def columns(families: Iterable[Family[Any]], facet: int) -> Iterator[Column]:
        return (Column(family, facet) for family in families if family.exposed_name not in exclude)

    return Catalogue(
        instances=(
            *columns(instance_gauges.FAMILIES, FLEET),
            *columns(fleet_counters.FAMILIES, FLEET),
            *columns(problem_gauges.families(tuple(tag_labels)), PROBLEMS),
        ),
        pipelines=(
            *columns(pipeline_gauges.families(tuple(tag_labels)), FACTS),
            *columns(progress_metrics.FAMILIES, PROGRESS),
            *columns(pipeline_counters.FAMILIES, HISTORY),
        ),
        ticking=None if pipeline_counters.SECONDS.exposed_name in exclude else pipeline_counters.SECONDS,
    )


def _known() -> Iterator[str]:
    shown = catalogue()
    return (column.family.exposed_name for column in (*shown.instances, *shown.pipelines))


KNOWN_FAMILIES: Final = frozenset(_known())
"""The names that `metrics.exclude` may hold."""
