"""A snapshot: one whole state of the world as a scraper reads it, rendered and compressed at most once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any

from feldera_exporter.exposition.chunks import pieces
from feldera_exporter.exposition.compressed_block import CompressedBlock
from feldera_exporter.exposition.compression import Deflated, deflate, member
from feldera_exporter.exposition.family import Family
from feldera_exporter.exposition.text import Format, header


@dataclass(frozen=True, slots=True)
class Section:
    """A family and all its sample lines, in the order of the exposition."""

    family: Family[Any]
    blocks: Sequence[CompressedBlock]


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
        self._plain: dict[Format, tuple[bytes, ...]] = {}
        self._gzip: dict[Format, tuple[bytes, ...]] = {}
        self._making = Lock()
        self._compressing = Lock()

    def ready(self, format_: Format, *, packed: bool) -> Sequence[bytes] | None:
        """Return what `gzip` or `plain` does if that costs nothing, None where somebody must make it first."""
        return self._gzip.get(format_) if packed else self._plain.get(format_)

    def plain(self, format_: Format) -> Sequence[bytes]:
        """Return the plain exposition in parts; it is never joined, since it can be hundreds of megabytes.

        Nobody is waited for once the content is made: whoever compresses it takes longer.
        """
        ready = self._plain.get(format_)
        if ready is None:
            content, registry = self._shown(format_)
            # Two threads that come first together do the work twice, to the same result.
            ready = self._plain[format_] = tuple(_texts(content, registry, format_))
            content.measured(format_, sum(map(len, ready)))
        return ready

    def gzip(self, format_: Format) -> Sequence[bytes]:
        """Return the exposition as one gzip member in parts; made once per format, for all who ask."""
        content, registry = self._shown(format_)
        with self._compressing:
            ready = self._gzip.get(format_)
            if ready is None:
                parts = tuple(_deflated(content, registry, format_))
                content.measured(format_, sum(part.length for part in parts))
                # They are short and many, and joined once for all who ask.
                ready = self._gzip[format_] = tuple(pieces(member(parts)))
            return ready

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


def _texts(content: Content, registry: bytes, format_: Format) -> Iterator[bytes]:
    for section in content.sections:
        yield _header(section.family.name, section.family.kind, section.family.help, format_)[0]
        for block in section.blocks:
            yield block.text
    yield registry
    yield format_.end


def _deflated(content: Content, registry: bytes, format_: Format) -> Iterator[Deflated]:
    for section in content.sections:
        yield _header(section.family.name, section.family.kind, section.family.help, format_)[1]
        for block in section.blocks:
            yield block.deflated
    yield deflate(registry + format_.end)
