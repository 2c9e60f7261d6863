"""A block: a piece of an exposition that is kept, with its compressed form, as long as it stays the same."""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate, pairwise
from typing import Self

from feldera_exporter.exposition.compression import Deflated, deflate


class CompressedBlock:
    """Sample lines of one family for a run of subjects; compressed when first asked for, and then no more.

    The lines are held in one piece, once: a scrape has few pieces to gather, and the pieces of single subjects are cut
    out where a block is made from the one before it.

    Args:
        text: the lines of all subjects.
        ends: where those of the first subject begin and those of each end.
        samples: how many lines they are.

    Attributes:
        text: as above.
        samples: as above.
    """

    __slots__ = ("_deflated", "_ends", "samples", "text")

    def __init__(self, text: bytes, ends: "array[int]", samples: int) -> None:
        self.text = text
        self.samples = samples
        self._ends = ends
        self._deflated: Deflated | None = None

    @classmethod
    def of(cls, fragments: Iterable[bytes]) -> Self:
        """Return the block of the lines of each subject."""
        parts = tuple(fragments)
        text = b"".join(parts)
        return cls(text, array("L", accumulate(map(len, parts), initial=0)), text.count(b"\n"))

    @property
    def deflated(self) -> Deflated:
        """The lines, compressed. Two threads that come first together do the work twice, to the same result."""
        if self._deflated is None:
            self._deflated = deflate(self.text)
        return self._deflated

    def fragments(self) -> list[bytes]:
        """Return the lines of each subject."""
        return [self.text[start:end] for start, end in pairwise(self._ends)]

    def patched(self, fresh: Mapping[int, bytes]) -> "CompressedBlock":
        """Return the block with other lines for the subjects at some places, given in their order.

        Only what is new is looked at; the rest is copied in as few pieces as there are.
        """
        ends = self._ends
        samples, longer = self.samples, 0
        for place, lines in fresh.items():
            start, end = ends[place], ends[place + 1]
            samples += lines.count(b"\n") - self.text.count(b"\n", start, end)
            longer |= len(lines) - (end - start)
        text = b"".join(self._pieces(fresh))
        if longer:
            lengths = [end - start for start, end in pairwise(ends)]
            for place, lines in fresh.items():
                lengths[place] = len(lines)
            ends = array("L", accumulate(lengths, initial=0))
        return CompressedBlock(text, ends, samples)

    def _pieces(self, fresh: Mapping[int, bytes]) -> Iterator[bytes | memoryview]:
        old, done = memoryview(self.text), 0
        for place, lines in fresh.items():
            yield old[done : self._ends[place]]
            yield lines
            done = self._ends[place + 1]
        yield old[done:]
