"""The catalogue of the exported families, and which part of an instance or a pipeline each one reads."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from feldera_exporter.config import DEFAULT_TAG_LABELS
from feldera_exporter.exposition.family import Family
from feldera_exporter.exposition.segment import Column
from feldera_exporter.history.history import History
from feldera_exporter.metrics import (
    instance_families,
    pipeline_counters,
    pipeline_gauges,
    problem_gauges,
)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The families of instances and pipelines.

    Attributes:
        instances: the families of an `InstanceWithProblems`.
        pipelines: the families of a `Pipeline`.
        live: the family of `pipelines` with a sample that grows with time (`live_seconds`); None if it is excluded.
    """

    instances: tuple[Column, ...]
    pipelines: tuple[Column, ...]
    live: Family[History] | None


@lru_cache(maxsize=8)
def catalogue(
    tag_labels: tuple[str, ...] = tuple(DEFAULT_TAG_LABELS), exclude: tuple[str, ...] = ()
) -> Catalogue:
    """Return the catalogue without the excluded families, which are named as users query them (counters with `_total`).

    For the same arguments it is the same object, so that what was rendered before a reload is used after it.
    """

    def columns(families: Iterable[Family[Any]], attribute: str) -> Iterator[Column]:
        return (Column(family, attribute) for family in families if family.exposed_name not in exclude)

    return Catalogue(
        instances=(
            *columns(instance_families.FAMILIES, "fleet"),
            *columns(problem_gauges.families(tag_labels), "problems"),
        ),
        pipelines=(
            *columns(pipeline_gauges.families(tag_labels), "facts"),
            *columns(pipeline_gauges.PROGRESS_FAMILIES, "progress"),
            *columns(pipeline_counters.FAMILIES, "history"),
        ),
        live=None if pipeline_counters.SECONDS.exposed_name in exclude else pipeline_counters.SECONDS,
    )


KNOWN_FAMILIES: Final = frozenset(
    column.family.exposed_name for column in (*catalogue().instances, *catalogue().pipelines)
)
"""The names that `metrics.exclude` may hold."""
