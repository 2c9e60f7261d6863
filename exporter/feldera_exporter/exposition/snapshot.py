"""A snapshot: one whole state of the world as a scraper reads it, rendered and compressed at most once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any, Final

from feldera_exporter.exposition.block import Block
from feldera_exporter.exposition.compression import Deflated, deflate, member
from feldera_exporter.exposition.family import Family
from feldera_exporter.exposition.text import Format, header

PIECE: Final = 256 * 1024
"""Bytes in a chunk at least: smaller ones cost a system call each, much larger ones pile up behind slow readers."""


@dataclass(frozen=True, slots=True)
class Section:
    """A family and all its sample lines, in the order of the exposition."""

    family: Family[Any]
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Content:
    """What a snapshot shows.

    Attributes:
        sections: the families of the tables.
        registry: gives the text of the exporter's own registry; called at most once per format.
        measured: told the size of an exposition.
    """

    sections: Sequence[Section]
    registry: Callable[[Format], bytes]
    measured: Callable[[Format, int], None]


class Snapshot:
    """The seam between making an exposition and serving it.

    Args:
        sequence: the number of the snapshot; a later one is greater.
        content: makes the content; called at most once, by the first who asks, in that caller's thread.
    """

    def __init__(self, sequence: int, content: Callable[[], Content]) -> None:
        self.sequence = sequence
        self._make = content
        self._content: Content | None = None
        self._registry: dict[Format, bytes] = {}
        self._ready: dict[Format, tuple[bytes, ...]] = {}
        self._lengths: dict[Format, int] = {}
        self._making = Lock()
        self._compressing = Lock()

    def chunks(self, format_: Format) -> Iterator[bytes]:
        """Yield the plain exposition in pieces; it is never joined, since it can be hundreds of megabytes.

        Nobody is waited for once the content is made, as `length` does.
        """
        return _pieces(_plain(*self._shown(format_), format_))

    def ready(self, format_: Format) -> tuple[bytes, ...] | None:
        """Return what `gzip` does if that costs nothing, None where somebody must make it first."""
        return self._ready.get(format_)

    def gzip(self, format_: Format) -> tuple[bytes, ...]:
        """Return the exposition as one gzip member in pieces; made once per format, for all who ask."""
        content, registry = self._shown(format_)
        with self._compressing:
            ready = self._ready.get(format_)
            if ready is None:
                parts = tuple(_compressed(content, registry, format_))
                content.measured(format_, sum(part.length for part in parts))
                ready = self._ready[format_] = tuple(_pieces(member(parts)))
            return ready

    def length(self, format_: Format) -> int:
        """Return the bytes of the plain exposition."""
        size = self._lengths.get(format_)
        if size is None:
            content, registry = self._shown(format_)
            # Two threads that come first together do the work twice, to the same result.
            size = self._lengths[format_] = sum(map(len, _plain(content, registry, format_)))
            content.measured(format_, size)
        return size

    def _shown(self, format_: Format) -> tuple[Content, bytes]:
        """Return the content and the registry's text, which is another one whenever it is asked for."""
        with self._making:
            if self._content is None:
                self._content = self._make()
            text = self._registry.get(format_)
            if text is None:
                text = self._registry[format_] = self._content.registry(format_)
            return self._content, text


@lru_cache(maxsize=1024)
def _header(name: str, kind: str, text: str, format_: Format) -> tuple[bytes, Deflated]:
    lines = header(name, kind, text, format_)
    return lines, deflate(lines)


def _plain(content: Content, registry: bytes, format_: Format) -> Iterator[bytes]:
    for section in content.sections:
        yield _header(section.family.name, section.family.kind, section.family.help, format_)[0]
        for block in section.blocks:
            yield block.text
    yield registry
    yield format_.end


def _compressed(content: Content, registry: bytes, format_: Format) -> Iterator[Deflated]:
    for section in content.sections:
        yield _header(section.family.name, section.family.kind, section.family.help, format_)[1]
        for block in section.blocks:
            yield block.deflated
    yield deflate(registry + format_.end)


def _pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Join small parts into pieces of about `PIECE` bytes."""
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
