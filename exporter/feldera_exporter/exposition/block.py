"""A block: a piece of an exposition that is kept, with its compressed form, as long as it stays the same."""

from array import array
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise

from feldera_exporter.exposition.compression import Deflated, deflate


class Block:
    """Sample lines of one family for a run of subjects; compressed when first asked for, and then no more.

    The lines are held in one piece, once: a scrape has few pieces to gather, and the pieces of single subjects are cut
    out where a block is made from the one before it.

    Args:
        fragments: the lines of each subject.

    Attributes:
        text: all of them.
        samples: how many they are.
    """

    __slots__ = ("_deflated", "_ends", "samples", "text")

    def __init__(self, fragments: Sequence[bytes]) -> None:
        self.text = b"".join(fragments)
        self.samples = self.text.count(b"\n")
        self._ends = array("L", accumulate(map(len, fragments), initial=0))
        self._deflated: Deflated | None = None

    @property
    def deflated(self) -> Deflated:
        """The lines, compressed. Two threads that come first together do the work twice, to the same result."""
        if self._deflated is None:
            self._deflated = deflate(self.text)
        return self._deflated

    def fragments(self) -> list[bytes]:
        """Return the lines of each subject."""
        return [self.text[start:end] for start, end in pairwise(self._ends)]

    def patched(self, fresh: Mapping[int, bytes]) -> "Block":
        """Return the block with other lines for the subjects at some places."""
        fragments = self.fragments()
        for place, lines in fresh.items():
            fragments[place] = lines
        return Block(fragments)
