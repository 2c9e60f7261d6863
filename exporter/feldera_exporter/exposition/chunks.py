"""Joins the many parts of an exposition to chunks of a good size for writing to a connection."""

from collections.abc import Iterable, Iterator
from typing import Final

CHUNK_BYTES: Final = 512 * 1024
"""The least size of a chunk. Smaller ones cost more system calls, much larger ones fill the buffers of slow connections."""


def chunks(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the parts joined to chunks of at least `CHUNK_BYTES` bytes; the last one may be smaller."""
    held: list[bytes] = []
    size = 0
    for part in parts:
        held.append(part)
        size += len(part)
        if size >= CHUNK_BYTES:
            yield b"".join(held)
            held.clear()
            size = 0
    if held:
        yield b"".join(held)
