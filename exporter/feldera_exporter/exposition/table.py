"""The rendered lines of many items (pipelines) in many columns (families). Only what changed is rendered again.

An item that is the same object as before costs one comparison. An attribute that is the same object is not read again. A block
whose lines did not change is kept with its compressed form.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Generic
from zlib import crc32

from feldera_exporter.differences import changed_indices
from feldera_exporter.exposition.compressed_block import CompressedBlock
from feldera_exporter.exposition.segment import Column, Item, Segment, SegmentRenderer

SEGMENT_ITEMS: Final = 32
"""The average number of items in a segment. Small segments compress badly, large ones are compressed again too often."""


@dataclass(frozen=True, slots=True)
class Table(Generic[Item]):
    """The rendered lines of all items, in segments; `starts` has the index of the first item of each."""

    keys: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    starts: tuple[int, ...] = ()
    segments: tuple[Segment[Item], ...] = ()

    def blocks(self, column: int) -> list[CompressedBlock]:
        """Return the blocks of one column in the order of the items."""
        return [segment.blocks[column] for segment in self.segments]


def render(
    columns: Sequence[Column],
    items: Mapping[str, Item],
    shared: Callable[[str, Item], str],
    previous: Table[Item],
) -> Table[Item]:
    """Return the table of these items; what did not change is taken from the previous table of the same columns."""
    keys, values = tuple(items), tuple(items.values())
    renderer = SegmentRenderer(columns, shared)
    if keys != previous.keys:
        return _with_other_keys(renderer, keys, values, previous)
    starts, segments = previous.starts, list(previous.segments)
    ends = (*starts[1:], len(keys))
    for number in {bisect_right(starts, index) - 1 for index in changed_indices(previous.items, values)}:
        items_of = slice(starts[number], ends[number])
        segments[number] = renderer.render(keys[items_of], values[items_of], segments[number])
    return Table(keys, values, starts, tuple(segments))


def _with_other_keys(
    renderer: SegmentRenderer[Item],
    keys: tuple[str, ...],
    values: tuple[Item, ...],
    previous: Table[Item],
) -> Table[Item]:
    """Return the table of other keys than before.

    A key's checksum alone decides whether a segment begins with it. So an added or removed item changes only one or two
    segments.
    """
    starts = tuple(
        index for index, key in enumerate(keys) if not index or not crc32(key.encode()) % SEGMENT_ITEMS
    )
    known = {segment.keys[0]: segment for segment in previous.segments}
    segments = tuple(
        renderer.render(keys[start:end], values[start:end], known.get(keys[start]))
        for start, end in pairwise((*starts, len(keys)))
    )
    return Table(keys, values, starts, segments)
