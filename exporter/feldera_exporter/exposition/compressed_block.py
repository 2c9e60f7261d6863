"""A block: sample lines of one family for some subjects, kept with their compressed form until a line changes.

The blocks of an exposition are chunks of one gzip member that are compressed separately. Each chunk is raw deflate (RFC
1951) that ends with a full flush. So it does not depend on other chunks. The result is one member (RFC 1952), because curl
and httpx silently read only the first member of several. The checksum in its trailer is combined from those of the chunks.
"""

import struct
import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Final, Self

from isal import isal_zlib

# Without name and time, so that equal text gives equal bytes. 255 means an unknown operating system.
_HEADER: Final = struct.pack("<BBBBLBB", 0x1F, 0x8B, 8, 0, 0, 0, 255)
# An empty final block with fixed Huffman codes. It ends the stream after the last full flush.
_LAST_BLOCK: Final = b"\x03\x00"
_LEVEL: Final = 1


@dataclass(frozen=True, slots=True)
class Deflated:
    """A compressed chunk, with the CRC-32 and the length in bytes of its text for the trailer of the member."""

    data: bytes
    crc: int
    length: int


def deflate(text: bytes) -> Deflated:
    """Compress one chunk, so that it is valid at any position in a member."""
    compressor = isal_zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    data = compressor.compress(text) + compressor.flush(zlib.Z_FULL_FLUSH)
    return Deflated(data, isal_zlib.crc32(text), len(text))


def member(chunks: Iterable[Deflated]) -> Iterator[bytes]:
    """Yield the parts of one gzip member with these chunks in this order."""
    yield _HEADER
    crc = length = 0
    for chunk in chunks:
        yield chunk.data
        crc = isal_zlib.crc32_combine(crc, chunk.crc, chunk.length)
        length += chunk.length
    yield _LAST_BLOCK + struct.pack("<LL", crc, length & 0xFFFFFFFF)


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
