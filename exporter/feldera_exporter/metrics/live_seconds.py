"""The counter sample of each pipeline's present status: it grows at every poll, even if nothing happens.

All other samples change only when something happens. So these are rendered separately: all of a line but the whole seconds
of its value is kept.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from feldera_exporter.differences import changed_keys
from feldera_exporter.exposition.compressed_block import CompressedBlock
from feldera_exporter.exposition.family import extra
from feldera_exporter.exposition.text import seconds
from feldera_exporter.history.history import History
from feldera_exporter.history.status_time import Growth, growth
from feldera_exporter.micros import SECOND, Micros
from feldera_exporter.state.fleet import Fleet
from feldera_exporter.state.pipeline import Pipeline

SAMPLES_PER_BLOCK: Final = 512
"""All samples of a block change together, so a large block compresses better at no cost."""


@dataclass(frozen=True, slots=True)
class _LiveSample:
    """One pipeline's sample.

    Attributes:
        head: the line up to its value.
        tail: the fraction of the value, and the end of the line.
        offset: the whole seconds of the value are those of the as-of instant plus this.
        exact_from: from this as-of instant on, in seconds, `offset` and `tail` give the value; before it, the value stays.
    """

    name: str
    history: History
    growth: Growth
    head: str
    tail: str
    offset: int
    exact_from: int

    def is_current(self, pipeline: Pipeline) -> bool:
        """Return whether the sample was made of the pipeline's present history and name."""
        return self.history is pipeline.history and self.name == pipeline.facts.row.name

    def line(self, as_of: Micros) -> str:
        """Return the line at an as-of instant."""
        return f"{self.head}{seconds(self.growth.at(as_of))}\n"


@dataclass(frozen=True, slots=True)
class LiveSeconds:
    """The samples of all pipelines of an instance at one as-of instant, which is in whole seconds."""

    pipelines: Mapping[str, Pipeline] = field(default_factory=lambda: MappingProxyType({}))
    samples: Mapping[str, _LiveSample] = field(default_factory=lambda: MappingProxyType({}))
    blocks: tuple[CompressedBlock, ...] = ()


def updated_seconds(
    name: str, fleet: Fleet, shared: Callable[[str, Pipeline], str], previous: LiveSeconds
) -> LiveSeconds:
    """Return the samples of a fleet; those of unchanged pipelines are taken from the previous ones.

    `name` is the family's name as exposed; `shared` returns the labels that all samples of a pipeline carry, as text.
    """
    # Most lists are of the same pipelines, of which few changed.
    changed = changed_keys(previous.pipelines, fleet.pipelines)
    samples = {} if changed is None else dict(previous.samples)
    for pipeline_id in fleet.pipelines if changed is None else changed:
        pipeline, old = fleet.pipelines[pipeline_id], previous.samples.get(pipeline_id)
        if old is None or not old.is_current(pipeline):
            old = _sample(name, shared(pipeline_id, pipeline), pipeline)
        samples[pipeline_id] = old
    as_of, credited = fleet.counters.as_of, fleet.counters.credited
    whole = as_of // SECOND
    lines = [
        f"{sample.head}{whole + sample.offset}{sample.tail}"
        if whole >= sample.exact_from
        else sample.line(as_of)
        for sample in samples.values()
    ]
    if credited:
        for index, (pipeline_id, sample) in enumerate(samples.items()):
            if pipeline_id in credited:
                lines[index] = sample.line(credited[pipeline_id])
    blocks = tuple(
        CompressedBlock.of(("".join(lines[start : start + SAMPLES_PER_BLOCK]).encode(),))
        for start in range(0, len(lines), SAMPLES_PER_BLOCK)
    )
    return LiveSeconds(fleet.pipelines, samples, blocks)


def _sample(name: str, shared: str, pipeline: Pipeline) -> _LiveSample:
    time = pipeline.history.status_time
    grows = growth(time)
    offset, fraction = divmod(grows.offset, SECOND)
    return _LiveSample(
        name=pipeline.facts.row.name,
        history=pipeline.history,
        growth=grows,
        head=f"{name}{{{shared}{extra(('status', time.status))}}} ",
        tail=f".{fraction:06d}".rstrip("0") + "\n" if fraction else "\n",
        offset=offset,
        # Rounded up: `line` gives the value in the last fraction of a second before it.
        exact_from=-(-grows.floor // SECOND) - offset,
    )
