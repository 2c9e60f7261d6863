"""A block: sample lines of one family for some subjects, kept with their compressed form until a line changes."""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Self

from feldera_exporter.exposition.compression import Deflated, deflate


@dataclass(slots=True, eq=False)
class CompressedBlock:
    """Sample lines of one family for some subjects; compressed once, when first needed.

    Attributes:
        text: the lines of all subjects.
        ends: 0, then the offset in `text` at which the lines of each subject end.
        samples: the number of lines.
    """

    text: bytes
    ends: "array[int]"
    samples: int
    _deflated: Deflated | None = field(default=None, init=False)

    @classmethod
    def of(cls, fragments: Iterable[bytes]) -> Self:
        """Return the block of these fragments, the lines of one subject each."""
        parts = tuple(fragments)
        text = b"".join(parts)
        return cls(text, array("L", accumulate(map(len, parts), initial=0)), text.count(b"\n"))

    @property
    def deflated(self) -> Deflated:
        """The compressed lines. Two threads that ask at the same time may compress twice, with the same result."""
        if self._deflated is None:
            self._deflated = deflate(self.text)
        return self._deflated

    def patched(self, changes: Mapping[int, bytes]) -> "CompressedBlock":
        """Return the block with other lines for some subjects, given by their indices in ascending order.

        Joining all fragments again would take half of the time of a poll in which 1 % changed.
        """
        lengths = [end - start for start, end in pairwise(self.ends)]
        samples = self.samples
        for index, lines in changes.items():
            samples += lines.count(b"\n") - self.text.count(b"\n", self.ends[index], self.ends[index + 1])
            lengths[index] = len(lines)
        ends = array("L", accumulate(lengths, initial=0))
        return CompressedBlock(b"".join(self._parts(changes)), ends, samples)

    def _parts(self, changes: Mapping[int, bytes]) -> Iterator[bytes | memoryview]:
        old, done = memoryview(self.text), 0
        for index, lines in changes.items():
            yield old[done : self.ends[index]]
            yield lines
            done = self.ends[index + 1]
        yield old[done:]
