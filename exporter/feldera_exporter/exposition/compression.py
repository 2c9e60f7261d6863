"""Gzip members made of chunks that are compressed separately, so that only changed chunks are compressed again.

Each chunk is raw deflate (RFC 1951) that ends with a full flush. So it does not depend on other chunks. The result is
one member (RFC 1952), because curl and httpx silently read only the first member of several. The checksum in its trailer
is combined from those of the chunks.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

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
