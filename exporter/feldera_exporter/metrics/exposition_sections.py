"""All families of all instances as sections of an exposition. What did not change is taken from the previous ones."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from feldera_exporter.exposition.snapshot import Section
from feldera_exporter.exposition.table import Table, render
from feldera_exporter.exposition.text import labels
from feldera_exporter.metrics.catalogue import Catalogue
from feldera_exporter.metrics.live_seconds import LiveSeconds, updated_seconds
from feldera_exporter.problems.evaluate import InstanceWithProblems
from feldera_exporter.state.pipeline import Pipeline

_INSTANCE: Final = "feldera_instance"


@dataclass(frozen=True, slots=True)
class _RenderedInstance:
    """The rendered samples of one instance."""

    instance: Table[InstanceWithProblems] = field(default_factory=Table)
    pipelines: Table[Pipeline] = field(default_factory=Table)
    live_seconds: LiveSeconds = field(default_factory=LiveSeconds)


@dataclass(frozen=True, slots=True)
class ExpositionSections:
    """The sections of an exposition, and the rendered instances that they consist of, by name."""

    rendered: Mapping[str, _RenderedInstance] = field(default_factory=lambda: MappingProxyType({}))
    sections: Sequence[Section] = ()

    @property
    def samples(self) -> int:
        """The number of samples in all sections."""
        return sum(block.samples for section in self.sections for block in section.blocks)


def updated_sections(
    previous: ExpositionSections, instances: Sequence[InstanceWithProblems], catalogue: Catalogue
) -> ExpositionSections:
    """Return the sections of these instances, in this order; the previous ones were made with the same catalogue."""
    rendered = {
        observed.fleet.instance: _rendered_instance(
            observed, catalogue, previous.rendered.get(observed.fleet.instance, _RenderedInstance())
        )
        for observed in instances
    }
    return ExpositionSections(rendered, tuple(_sections(catalogue, tuple(rendered.values()))))


def _rendered_instance(
    observed: InstanceWithProblems, catalogue: Catalogue, previous: _RenderedInstance
) -> _RenderedInstance:
    fleet = observed.fleet

    def shared(pipeline_id: str, pipeline: Pipeline) -> str:
        return _pipeline_labels(fleet.instance, pipeline_id, pipeline.facts.row.name)

    seconds = LiveSeconds()
    if catalogue.live is not None:
        seconds = updated_seconds(catalogue.live.exposed_name, fleet, shared, previous.live_seconds)
    return _RenderedInstance(
        render(catalogue.instances, {fleet.instance: observed}, _instance_labels, previous.instance),
        render(catalogue.pipelines, fleet.pipelines, shared, previous.pipelines),
        seconds,
    )


def _instance_labels(name: str, _observed: InstanceWithProblems) -> str:
    return labels([(_INSTANCE, name)])


@lru_cache(maxsize=65_536)
def _pipeline_labels(instance: str, pipeline_id: str, name: str) -> str:
    return labels([(_INSTANCE, instance), ("pipeline", f"pipeline-{pipeline_id}"), ("pipeline_name", name)])


def _sections(catalogue: Catalogue, instances: Sequence[_RenderedInstance]) -> Iterator[Section]:
    for index, column in enumerate(catalogue.instances):
        blocks = [block for rendered in instances for block in rendered.instance.blocks(index)]
        yield Section(column.family, blocks)
    for index, column in enumerate(catalogue.pipelines):
        blocks = [block for rendered in instances for block in rendered.pipelines.blocks(index)]
        if column.family is catalogue.live:
            # First the earlier statuses of all pipelines, then the present status of each.
            blocks += [block for rendered in instances for block in rendered.live_seconds.blocks]
        yield Section(column.family, blocks)
