"""A run: some subjects in a row as rendered, and the press that makes one from the one before it."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from feldera_exporter.differences import places
from feldera_exporter.exposition.compressed_block import CompressedBlock
from feldera_exporter.exposition.family import Family

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Column:
    """A family, and which facet of a subject it reads."""

    family: Family[Any]
    facet: int


class Subject(NamedTuple):
    """What is rendered: the text of the labels that all its samples carry, and its facets."""

    shared: str
    facets: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Segment(Generic[Item]):
    """Some subjects in a row as rendered.

    Attributes:
        keys: of the items.
        items: what was rendered.
        blocks: the lines, one block per column.
        samples: how many lines there are.
    """

    keys: tuple[str, ...]
    items: tuple[Item, ...]
    blocks: tuple[CompressedBlock, ...]
    samples: int


class SegmentRenderer(Generic[Item]):
    """Renders items.

    Args:
        columns: what is rendered of each.
        subject: makes the subject of an item, from its key and itself; pure.
    """

    def __init__(self, columns: Sequence[Column], subject: Callable[[str, Item], Subject]) -> None:
        self._columns = columns
        self._subject = subject
        self._readers: defaultdict[int, list[tuple[int, Family[Any]]]] = defaultdict(list)
        for number, column in enumerate(columns):
            self._readers[column.facet].append((number, column.family))

    def run(self, keys: tuple[str, ...], items: tuple[Item, ...], old: Segment[Item] | None) -> Segment[Item]:
        """Return a run, taking what stayed the same from one that has some or all of its subjects."""
        if old is None or old.keys != keys:
            old = self._arranged(keys, items, old)
        return self._patched(old, items)

    def _arranged(
        self, keys: tuple[str, ...], items: tuple[Item, ...], old: Segment[Item] | None
    ) -> Segment[Item]:
        """Return a run of these subjects: those of an old run as they were rendered there, the others as they are now."""
        known: dict[str, tuple[Item, tuple[bytes, ...]]] = {}
        if old is not None:
            lines = zip(*(block.fragments() for block in old.blocks), strict=True)
            # Without a column there are no lines, and nothing to take over.
            known = dict(zip(old.keys, zip(old.items, lines, strict=False), strict=False))
        rendered = [
            known.get(key) or (item, self._rendered(key, item)) for key, item in zip(keys, items, strict=True)
        ]
        columns = zip(*(lines for _, lines in rendered), strict=True)
        return _run(keys, tuple(item for item, _ in rendered), tuple(map(CompressedBlock.of, columns)))

    def _patched(self, run: Segment[Item], items: tuple[Item, ...]) -> Segment[Item]:
        """Return a run of the same subjects with what changed of them: most often one of them, in a few columns."""
        fresh: defaultdict[int, dict[int, bytes]] = defaultdict(dict)
        for place in places(run.items, items):
            for column, lines in self._changed(run.keys[place], run.items[place], items[place]):
                fresh[column][place] = lines
        if not fresh:
            return Segment(run.keys, items, run.blocks, run.samples)
        blocks = list(run.blocks)
        for column, fragments in fresh.items():
            blocks[column] = blocks[column].patched(fragments)
        return _run(run.keys, items, tuple(blocks))

    def _rendered(self, key: str, item: Item) -> tuple[bytes, ...]:
        subject = self._subject(key, item)
        return tuple(
            column.family.render(subject.shared, subject.facets[column.facet]) for column in self._columns
        )

    def _changed(self, key: str, before: Item, after: Item) -> Iterator[tuple[int, bytes]]:
        """Yield the lines of an item in the columns where they are others than before."""
        old, new = self._subject(key, before), self._subject(key, after)
        renamed = old.shared != new.shared
        for facet, families in self._readers.items():
            was, now = old.facets[facet], new.facets[facet]
            if was is now and not renamed:
                continue
            for number, family in families:
                if renamed or not family.agrees(was, now):
                    yield number, family.render(new.shared, now)


def _run(
    keys: tuple[str, ...], items: tuple[Item, ...], blocks: tuple[CompressedBlock, ...]
) -> Segment[Item]:
    return Segment(keys, items, blocks, sum(block.samples for block in blocks))
