"""The page: every family of every instance as sections of an exposition, made from the page before it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from feldera_exporter.exposition.segment import Subject
from feldera_exporter.exposition.snapshot import Section
from feldera_exporter.exposition.table import Table, render
from feldera_exporter.exposition.text import labels
from feldera_exporter.metrics import live_seconds
from feldera_exporter.metrics.catalogue import Catalogue
from feldera_exporter.metrics.live_seconds import LiveSeconds
from feldera_exporter.problems.observed_instance import ObservedInstance
from feldera_exporter.state.pipeline import Pipeline

_INSTANCE: Final = "feldera_instance"
_PIPELINES: Final = 65_536


@dataclass(frozen=True, slots=True)
class _Part:
    """One instance rendered: itself, its pipelines, and what moves with time."""

    instance: Table[ObservedInstance] = field(default_factory=Table)
    pipelines: Table[Pipeline] = field(default_factory=Table)
    dial: LiveSeconds = field(default_factory=LiveSeconds)


@dataclass(frozen=True, slots=True)
class ExpositionSections:
    """Every instance rendered, and the sections that this makes."""

    parts: Mapping[str, _Part] = field(default_factory=lambda: MappingProxyType({}))
    sections: Sequence[Section] = ()

    @property
    def samples(self) -> int:
        """The number of samples on the page."""
        return sum(
            part.instance.samples + part.pipelines.samples + len(part.dial.hands)
            for part in self.parts.values()
        )


def updated_sections(
    previous: ExpositionSections, instances: Sequence[ObservedInstance], catalogue: Catalogue
) -> ExpositionSections:
    """Return the page that shows the instances, reusing what the previous one holds of the same."""
    parts = {
        each.fleet.instance: _part(each, catalogue, previous.parts.get(each.fleet.instance, _Part()))
        for each in instances
    }
    return ExpositionSections(parts, tuple(_sections(catalogue, tuple(parts.values()))))


def _part(observed: ObservedInstance, catalogue: Catalogue, old: _Part) -> _Part:
    fleet = observed.fleet

    def whole(name: str, observed: ObservedInstance) -> Subject:
        return Subject(labels([(_INSTANCE, name)]), tuple(observed))

    def pipeline(key: str, known: Pipeline) -> Subject:
        shared = _shared(fleet.instance, key, known.facts.row.name)
        return Subject(shared, (known.facts, known.progress, known.history))

    pipelines = render(catalogue.pipelines, fleet.pipelines, pipeline, old.pipelines)
    dial = LiveSeconds()
    if catalogue.ticking is not None:
        dial = live_seconds.updated_seconds(
            catalogue.ticking.exposed_name, fleet, lambda key, known: pipeline(key, known).shared, old.dial
        )
    return _Part(
        render(catalogue.instances, {fleet.instance: observed}, whole, old.instance), pipelines, dial
    )


@lru_cache(maxsize=_PIPELINES)
def _shared(instance: str, key: str, name: str) -> str:
    return labels([(_INSTANCE, instance), ("pipeline", f"pipeline-{key}"), ("pipeline_name", name)])


def _sections(catalogue: Catalogue, parts: Sequence[_Part]) -> Iterator[Section]:
    for place, column in enumerate(catalogue.instances):
        yield Section(column.family, [block for part in parts for block in part.instance.blocks(place)])
    for place, column in enumerate(catalogue.pipelines):
        blocks = [block for part in parts for block in part.pipelines.blocks(place)]
        if column.family is catalogue.ticking:
            # The statuses whose time stands still, then for each pipeline the one whose time moves.
            blocks += [block for part in parts for block in part.dial.blocks]
        yield Section(column.family, blocks)
