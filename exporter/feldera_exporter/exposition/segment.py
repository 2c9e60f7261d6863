"""A segment: the rendered lines of some consecutive subjects, made from the segment before it."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from feldera_exporter.differences import changed_indices
from feldera_exporter.exposition.compressed_block import CompressedBlock
from feldera_exporter.exposition.family import Family

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Column:
    """A family, and the index of the facet that it reads."""

    family: Family[Any]
    facet: int


class Subject(NamedTuple):
    """What families read: a pipeline or an instance.

    Attributes:
        shared: the text of the labels that all its samples have.
        facets: the parts of it that change independently; each family reads one.
    """

    shared: str
    facets: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Segment(Generic[Item]):
    """The rendered lines of some consecutive items: one block for each column."""

    keys: tuple[str, ...]
    items: tuple[Item, ...]
    blocks: tuple[CompressedBlock, ...]


@dataclass(frozen=True, slots=True)
class SegmentRenderer(Generic[Item]):
    """Renders segments of these columns; `subject` returns the subject of an item and is pure."""

    columns: Sequence[Column]
    subject: Callable[[str, Item], Subject]

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
        subject = self.subject(key, item)
        return tuple(
            column.family.render(subject.shared, subject.facets[column.facet]) for column in self.columns
        )

    def _changed_lines(self, key: str, before: Item, after: Item) -> Iterator[tuple[int, bytes]]:
        """Yield the columns in which the lines of an item changed, with the new lines."""
        old, new = self.subject(key, before), self.subject(key, after)
        renamed = old.shared != new.shared
        for index, column in enumerate(self.columns):
            was, now = old.facets[column.facet], new.facets[column.facet]
            if renamed or (was is not now and not column.family.agrees(was, now)):
                yield index, column.family.render(new.shared, now)
