"""What the exporter exposes, read from itself: families, their labels, and the label values that are a closed set."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Final

from feldera_exporter.exposition.text import Format
from feldera_exporter.metrics.catalogue import catalogue
from feldera_exporter.telemetry import Telemetry
from rules.real import Sight, parse
from rules.whole import FAILED, incidents
from rules.world import INSTANCE, STEP, Samples

PIPELINE: Final = ("feldera_instance", "pipeline", "pipeline_name")
TARGET: Final = frozenset({"job", "instance"})
"""Labels that Prometheus adds to every sample."""

CLOSED: Final = frozenset({"status", "from", "to", "outcome", "dimension", "service"})
"""Labels all of whose values are there from the start."""

OPEN: Final = "feldera_pipeline_info"
"""The family whose labels the configuration may add to."""

TAGGED: Final = MappingProxyType({"expect": frozenset({"running"})})
"""Closed values that only a pipeline's tag shows: the expression of `config/exporter.yml` lets no other through."""


@dataclass(frozen=True)
class Exposed:
    """A family.

    Attributes:
        labels: the names of its labels.
        values: the values of those whose values are a closed set.
        open: whether further labels may come from the configuration.
    """

    labels: frozenset[str]
    values: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    open: bool = False


@cache
def seen() -> Samples:
    """Return a whole exposition of an exporter whose fleet is well but for one pipeline that failed."""
    sight = Sight(incidents)
    for now in range(0, FAILED + 3 * STEP, STEP):
        sight(now)
    telemetry = Telemetry("", "")
    telemetry.initialise(INSTANCE)
    telemetry.configured(success=True)
    return sight(now) | parse(telemetry.expose(Format.TEXT).decode())


def described() -> Iterator[tuple[str, frozenset[str]]]:
    """Yield every family that the exporter describes, by the name under which it is queried, with its labels."""
    shown = catalogue()
    for column in shown.instances:
        yield column.family.exposed_name, frozenset({"feldera_instance", *column.family.labels})
    for column in shown.pipelines:
        yield column.family.exposed_name, frozenset({*PIPELINE, *column.family.labels})
    for each in Telemetry("", "").descriptions:
        yield each.exposed_name, frozenset(each.labels)


@cache
def exposed() -> Mapping[str, Exposed]:
    """Return every family that the exporter has, by its name, with Prometheus's own `up`."""
    labels = {"up": frozenset[str](), **dict(described())}
    values: dict[str, dict[str, set[str]]] = {}
    for name, own in seen():
        labels[name] = labels.get(name, frozenset()) | {label for label, _ in own}
        for label, value in own:
            if label in CLOSED:
                values.setdefault(name, {}).setdefault(label, set()).add(value)
    return {
        name: Exposed(
            known,
            {label: frozenset(each) for label, each in values.get(name, {}).items()}
            | (dict(TAGGED) if name == OPEN else {}),
            name == OPEN,
        )
        for name, known in labels.items()
    }
