"""Gzip whose cost follows change: one member made of chunks that were compressed apart.

Each chunk is raw deflate ended by a full flush, so it depends on no other and can be kept as long as its text stays.
One member, not several: curl and httpx read only the first member of a file that has more, without an error.
Format: RFC 1952; the trailer's checksum is combined from those of the chunks.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from isal import isal_zlib

# No name, no time: the same snapshot gives the same bytes. 255: unknown operating system.
_HEADER: Final = struct.pack("<BBBBLBB", 0x1F, 0x8B, 8, 0, 0, 0, 255)
# An empty, final block with fixed Huffman codes: ends the stream after the last full flush.
_LAST_BLOCK: Final = b"\x03\x00"
_LEVEL: Final = 1


@dataclass(frozen=True, slots=True)
class Deflated:
    """A chunk of text, compressed, with what the trailer of a member needs of it."""

    data: bytes
    crc: int
    length: int


def deflate(text: bytes) -> Deflated:
    """Compress one chunk so that it can stand anywhere in a member."""
    compressor = isal_zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    data = compressor.compress(text) + compressor.flush(zlib.Z_FULL_FLUSH)
    return Deflated(data, isal_zlib.crc32(text), len(text))


def member(chunks: Iterable[Deflated]) -> Iterator[bytes]:
    """Yield the parts of one gzip member that holds the chunks in their order."""
    yield _HEADER
    crc = length = 0
    for chunk in chunks:
        yield chunk.data
        crc = isal_zlib.crc32_combine(crc, chunk.crc, chunk.length)
        length += chunk.length
    yield _LAST_BLOCK + struct.pack("<LL", crc, length & 0xFFFFFFFF)
