"""The counter sample of each pipeline's present status: it grows at every poll, even if nothing happens.

All other samples change only when something happens. These change for every pipeline at every poll, so they are rendered
apart: the text of all lines is kept, and only the numbers in it are formatted again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain, repeat
from operator import add
from typing import Final

from feldera_exporter.differences import changed_indices
from feldera_exporter.exposition.compressed_block import CompressedBlock
from feldera_exporter.exposition.family import extra
from feldera_exporter.exposition.text import MICROSECONDS, seconds
from feldera_exporter.history.history import History
from feldera_exporter.history.status_time_growth import TimeGrowth, time_growth
from feldera_exporter.state.fleet import Fleet
from feldera_exporter.state.pipeline import Pipeline

SAMPLES_PER_BLOCK: Final = 512
"""All samples of a block change together, so a large block compresses better at no cost."""


@dataclass(frozen=True, slots=True)
class _LiveSample:
    """One pipeline's sample. From `exact_from` on its value is the as-of instant plus a constant.

    Attributes:
        pipeline_id: the pipeline's id.
        name: the pipeline's name.
        history: the history that the sample was made of.
        growth: the value as a function of the as-of instant.
        head: the line up to its value.
        text: the line with `%d` for the whole seconds of the value.
        offset: whole seconds; the whole seconds of the value are the as-of instant in seconds plus this.
        exact_from: the as-of instant in seconds from which `text` and `offset` give the value; before it, the value stays.
    """

    pipeline_id: str
    name: str
    history: History
    growth: TimeGrowth
    head: str
    text: str
    offset: int
    exact_from: int

    def is_current(self, pipeline: Pipeline) -> bool:
        """Return whether the sample was made of the pipeline's present history and name."""
        return self.history is pipeline.history and self.name == pipeline.facts.row.name

    def line(self, as_of: int) -> bytes:
        """Return the line at any as-of instant, in microseconds."""
        return f"{self.head}{seconds(self.growth.at(as_of))}\n".encode()


@dataclass(frozen=True, slots=True)
class _Template:
    """The lines of some samples as one text with `%d` for every number.

    Attributes:
        samples: the samples.
        indices: the index of each pipeline's sample, by the pipeline's id.
        text: the lines.
        offsets: the offset of each sample, in whole seconds.
        exact_from: the largest `exact_from` of the samples.
    """

    samples: tuple[_LiveSample, ...]
    indices: Mapping[str, int]
    text: bytes
    offsets: tuple[int, ...]
    exact_from: int

    def render(self, as_of: int, credited: Mapping[str, int]) -> bytes:
        """Return the lines.

        Args:
            as_of: up to when time is counted, in microseconds.
            credited: the same for the pipelines that differ, by id.
        """
        whole, fraction = divmod(as_of, MICROSECONDS)
        if fraction:
            return b"".join(sample.line(credited.get(sample.pipeline_id, as_of)) for sample in self.samples)
        text = self.text % tuple(map(add, self.offsets, repeat(whole)))
        exceptions = [self.indices[pipeline_id] for pipeline_id in self.indices.keys() & credited.keys()]
        if whole < self.exact_from:
            exceptions += [index for index, sample in enumerate(self.samples) if whole < sample.exact_from]
        if not exceptions:
            return text
        # Not splitlines: a carriage return in a name ends no line.
        lines = [line + b"\n" for line in text.split(b"\n")[:-1]]
        for index in exceptions:
            sample = self.samples[index]
            lines[index] = sample.line(credited.get(sample.pipeline_id, as_of))
        return b"".join(lines)


@dataclass(frozen=True, slots=True)
class LiveSeconds:
    """The samples of all pipelines of an instance at one as-of instant.

    Attributes:
        pipeline_ids: the ids, in the order of the samples.
        pipelines: the pipelines in the same order.
        samples: one for each pipeline.
        templates: the samples in groups.
        blocks: the rendered lines, one block for each template.
    """

    pipeline_ids: tuple[str, ...] = ()
    pipelines: tuple[Pipeline, ...] = ()
    samples: tuple[_LiveSample, ...] = ()
    templates: tuple[_Template, ...] = ()
    blocks: tuple[CompressedBlock, ...] = ()


def updated_seconds(
    name: str, fleet: Fleet, shared: Callable[[str, Pipeline], str], previous: LiveSeconds
) -> LiveSeconds:
    """Return the samples of a fleet; what did not change is taken from the previous ones.

    Args:
        name: the family's name as exposed.
        fleet: the pipelines, and the as-of instants; an as-of instant in whole seconds is cheapest.
        shared: returns the text of the labels that all samples of a pipeline carry, from its id and the pipeline.
        previous: the samples before.
    """
    pipeline_ids, pipelines = tuple(fleet.pipelines), tuple(fleet.pipelines.values())
    if pipeline_ids == previous.pipeline_ids:
        samples = list(previous.samples)
        for index in changed_indices(previous.pipelines, pipelines):
            if not samples[index].is_current(pipelines[index]):
                samples[index] = _sample(name, shared, pipeline_ids[index], pipelines[index])
    else:
        known = dict(zip(previous.pipeline_ids, previous.samples, strict=True))
        samples = [
            old
            if (old := known.get(pipeline_id)) is not None and old.is_current(pipeline)
            else _sample(name, shared, pipeline_id, pipeline)
            for pipeline_id, pipeline in fleet.pipelines.items()
        ]
    groups = (
        tuple(samples[start : start + SAMPLES_PER_BLOCK])
        for start in range(0, len(samples), SAMPLES_PER_BLOCK)
    )
    templates = tuple(
        old if old is not None and old.samples == group else _template(group)
        for group, old in zip(groups, chain(previous.templates, repeat(None)), strict=False)
    )
    blocks = tuple(
        CompressedBlock.of((template.render(fleet.as_of, fleet.credited),)) for template in templates
    )
    return LiveSeconds(pipeline_ids, pipelines, tuple(samples), templates, blocks)


def _sample(
    name: str, shared: Callable[[str, Pipeline], str], pipeline_id: str, pipeline: Pipeline
) -> _LiveSample:
    growth = time_growth(pipeline.history)
    offset, fraction = divmod(growth.offset, MICROSECONDS)
    head = f"{name}{{{shared(pipeline_id, pipeline)}{extra(('status', growth.status))}}} "
    tail = f".{fraction:06d}".rstrip("0") if fraction else ""
    return _LiveSample(
        pipeline_id=pipeline_id,
        name=pipeline.facts.row.name,
        history=pipeline.history,
        growth=growth,
        head=head,
        text=f"{head.replace('%', '%%')}%d{tail}\n",
        offset=offset,
        # Rounded up: `line` gives the value in the last fraction of a second before it.
        exact_from=-(-growth.floor // MICROSECONDS) - offset,
    )


def _template(samples: tuple[_LiveSample, ...]) -> _Template:
    return _Template(
        samples=samples,
        indices={sample.pipeline_id: index for index, sample in enumerate(samples)},
        text="".join([sample.text for sample in samples]).encode(),
        offsets=tuple([sample.offset for sample in samples]),
        exact_from=max(sample.exact_from for sample in samples),
    )
