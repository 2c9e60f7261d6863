"""The lines of many subjects in many families, of which only what changed is rendered anew.

A subject (a pipeline) is made of facets, and a column (a family, or a part of one) reads one facet. A subject that is
the same object as before costs a look, a facet that is the same is not read again, and a block whose lines are the same
is kept.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Generic
from zlib import crc32

from feldera_exporter.differences import places
from feldera_exporter.exposition.compressed_block import CompressedBlock
from feldera_exporter.exposition.segment import Column, Item, Segment, SegmentRenderer, Subject

RUN: Final = 32
"""Subjects in a run on average: fewer compress worse, more are compressed anew too often."""


@dataclass(frozen=True, slots=True)
class Table(Generic[Item]):
    """Every subject rendered in every column.

    Attributes:
        keys: of the items.
        items: what was rendered.
        starts: the place of the first item of every run.
        runs: the lines.
    """

    keys: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    starts: tuple[int, ...] = ()
    runs: tuple[Segment[Item], ...] = ()

    @property
    def samples(self) -> int:
        """The number of samples in the table."""
        return sum(run.samples for run in self.runs)

    def blocks(self, column: int) -> list[CompressedBlock]:
        """Return the blocks of one column in the subjects' order."""
        return [run.blocks[column] for run in self.runs]


def render(
    columns: Sequence[Column],
    items: Mapping[str, Item],
    subject: Callable[[str, Item], Subject],
    previous: Table[Item],
) -> Table[Item]:
    """Render the items, taking from the previous table (of the same columns) all that stayed the same.

    Args:
        columns: what is rendered of each.
        items: by key, in the order of the table; one that is the same object as before is the same subject.
        subject: makes the subject of an item, from its key and itself; pure.
        previous: the table before.
    """
    keys, values = tuple(items), tuple(items.values())
    press = SegmentRenderer(columns, subject)
    if keys != previous.keys:
        return _cut(press, keys, values, previous)
    starts, runs = previous.starts, list(previous.runs)
    ends = (*starts[1:], len(keys))
    for number in {bisect_right(starts, place) - 1 for place in places(previous.items, values)}:
        run = slice(starts[number], ends[number])
        runs[number] = press.run(keys[run], values[run], runs[number])
    return Table(keys, values, starts, tuple(runs))


def _cut(
    press: SegmentRenderer[Item], keys: tuple[str, ...], values: tuple[Item, ...], previous: Table[Item]
) -> Table[Item]:
    """Render a table whose keys are others than before.

    Where a run begins is told by its first key alone: one subject more or less changes one run, or two.
    """
    starts = tuple(place for place, key in enumerate(keys) if not place or not crc32(key.encode()) % RUN)
    known = {run.keys[0]: run for run in previous.runs}
    runs = tuple(
        press.run(keys[start:end], values[start:end], known.get(keys[start]))
        for start, end in pairwise((*starts, len(keys)))
    )
    return Table(keys, values, starts, runs)
