"""A piece: what is written in one go, of an exposition that is too large to be written, or joined, as a whole."""

from collections.abc import Iterable, Iterator
from typing import Final

PIECE: Final = 512 * 1024
"""Bytes in a piece at least: smaller ones cost a system call each, much larger ones pile up behind slow readers."""


class Piece:
    """Bytes in the parts that they are made of.

    The system gathers the parts itself as it writes them (`writev`): to join them first would copy every byte once more,
    a third of what a scrape costs.

    Args:
        parts: in their order.
        size: their bytes in all.
    """

    __slots__ = ("_size", "parts")

    def __init__(self, parts: tuple[bytes, ...], size: int) -> None:
        self.parts = parts
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __bytes__(self) -> bytes:
        return b"".join(self.parts)

    def joined(self) -> "Piece":
        """Return the piece in one part."""
        return Piece((bytes(self),), self._size)


def pieces(parts: Iterable[bytes]) -> Iterator[Piece]:
    """Gather parts into pieces of about `PIECE` bytes."""
    held: list[bytes] = []
    size = 0
    for part in parts:
        held.append(part)
        size += len(part)
        if size >= PIECE:
            yield Piece(tuple(held), size)
            held.clear()
            size = 0
    if held:
        yield Piece(tuple(held), size)
