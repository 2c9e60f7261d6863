"""A segment: the rendered lines of some consecutive subjects, made from the segment before it."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from feldera_exporter.differences import changed_indices
from feldera_exporter.exposition.compressed_block import CompressedBlock
from feldera_exporter.exposition.family import Family

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Column:
    """A family, and the attribute of an item that it reads; the attributes change independently."""

    family: Family[Any]
    attribute: str


@dataclass(frozen=True, slots=True)
class Segment(Generic[Item]):
    """The rendered lines of some consecutive items: one block for each column."""

    keys: tuple[str, ...]
    items: tuple[Item, ...]
    blocks: tuple[CompressedBlock, ...]


@dataclass(frozen=True, slots=True)
class SegmentRenderer(Generic[Item]):
    """Renders segments of these columns; `shared` returns the labels that all samples of an item have, as text."""

    columns: Sequence[Column]
    shared: Callable[[str, Item], str]

    def render(
        self, keys: tuple[str, ...], items: tuple[Item, ...], old: Segment[Item] | None
    ) -> Segment[Item]:
        """Return the segment of these items; if an old one has the same keys, only what changed is rendered."""
        if old is not None and old.keys == keys:
            return self._updated(old, items)
        lines = [self._lines(key, item) for key, item in zip(keys, items, strict=True)]
        return Segment(keys, items, tuple(map(CompressedBlock.of, zip(*lines, strict=True))))

    def _updated(self, old: Segment[Item], items: tuple[Item, ...]) -> Segment[Item]:
        """Return a segment of the same keys with these items; usually one item differs, in a few columns."""
        changes: defaultdict[int, dict[int, bytes]] = defaultdict(dict)
        for index in changed_indices(old.items, items):
            for column, lines in self._changed_lines(old.keys[index], old.items[index], items[index]):
                changes[column][index] = lines
        blocks = list(old.blocks)
        for column, fragments in changes.items():
            blocks[column] = blocks[column].patched(fragments)
        return Segment(old.keys, items, tuple(blocks))

    def _lines(self, key: str, item: Item) -> tuple[bytes, ...]:
        shared = self.shared(key, item)
        return tuple(column.family.render(shared, getattr(item, column.attribute)) for column in self.columns)

    def _changed_lines(self, key: str, before: Item, after: Item) -> Iterator[tuple[int, bytes]]:
        """Yield the columns in which the lines of an item changed, with the new lines."""
        shared = self.shared(key, after)
        renamed = shared != self.shared(key, before)
        for index, column in enumerate(self.columns):
            was, now = getattr(before, column.attribute), getattr(after, column.attribute)
            if renamed or (was is not now and not column.family.agrees(was, now)):
                yield index, column.family.render(shared, now)
