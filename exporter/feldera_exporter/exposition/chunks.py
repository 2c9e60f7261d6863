"""A piece: what is written in one go, of an exposition that is too large to be written, or joined, as a whole."""

from collections.abc import Iterable, Iterator
from typing import Final

PIECE: Final = 512 * 1024
"""Bytes in a piece at least: smaller ones cost a system call each, much larger ones pile up behind slow readers."""


def pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Join parts to pieces of about `PIECE` bytes, each when it is asked for."""
    held: list[bytes] = []
    size = 0
    for part in parts:
        held.append(part)
        size += len(part)
        if size >= PIECE:
            yield b"".join(held)
            held.clear()
            size = 0
    if held:
        yield b"".join(held)
