"""A snapshot: the state of all instances at one time, rendered and compressed at most once for each format."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any

from feldera_exporter.exposition.chunks import chunks
from feldera_exporter.exposition.compressed_block import CompressedBlock
from feldera_exporter.exposition.compression import deflate, member
from feldera_exporter.exposition.family import Family
from feldera_exporter.exposition.text import Format, header


@dataclass(frozen=True, slots=True)
class Section:
    """A family with all its sample lines."""

    family: Family[Any]
    blocks: Sequence[CompressedBlock]


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a snapshot.

    Attributes:
        sections: the families about Feldera, in the order of the exposition.
        registry: returns the text of the exporter's own registry; called at most once for each format.
        measured: called with the size of an exposition in bytes.
    """

    sections: Sequence[Section]
    registry: Callable[[Format], bytes]
    measured: Callable[[Format, int], None]


class Snapshot:
    """An exposition that is rendered when first requested; its methods may be called from several threads.

    Args:
        content: renders the content; called at most once, in the thread of the first caller.
    """

    def __init__(self, content: Callable[[], Content]) -> None:
        self._make = content
        self._content: Content | None = None
        self._registry: dict[Format, bytes] = {}
        self._plain: dict[Format, tuple[bytes, ...]] = {}
        self._gzip: dict[Format, tuple[bytes, ...]] = {}
        self._making = Lock()
        self._compressing = Lock()

    def ready(self, format_: Format, *, packed: bool) -> Sequence[bytes] | None:
        """Return the result of `gzip` or `plain` if it is cached; None where it must be rendered first."""
        return self._gzip.get(format_) if packed else self._plain.get(format_)

    def plain(self, format_: Format) -> Sequence[bytes]:
        """Return the plain exposition in parts. They are not joined, since it can have hundreds of megabytes."""
        ready = self._plain.get(format_)
        if ready is None:
            content, registry = self._rendered(format_)
            # Two threads that ask at the same time may do this twice, with the same result.
            texts = (block.text for block in _blocks(content, format_))
            ready = self._plain[format_] = (*texts, registry, format_.end)
            content.measured(format_, sum(map(len, ready)))
        return ready

    def gzip(self, format_: Format) -> Sequence[bytes]:
        """Return the exposition as one gzip member in parts; compressed once for each format."""
        content, registry = self._rendered(format_)
        with self._compressing:
            ready = self._gzip.get(format_)
            if ready is None:
                parts = [block.deflated for block in _blocks(content, format_)]
                parts.append(deflate(registry + format_.end))
                content.measured(format_, sum(part.length for part in parts))
                # The parts are many and short, so they are joined once, not for each response.
                ready = self._gzip[format_] = tuple(chunks(member(parts)))
            return ready

    def _rendered(self, format_: Format) -> tuple[Content, bytes]:
        """Return the content and the registry's text. Both are cached, so that all responses of a snapshot are equal."""
        with self._making:
            if self._content is None:
                self._content = self._make()
            text = self._registry.get(format_)
            if text is None:
                text = self._registry[format_] = self._content.registry(format_)
            return self._content, text


@lru_cache(maxsize=1024)
def _header(name: str, kind: str, text: str, format_: Format) -> CompressedBlock:
    return CompressedBlock.of((header(name, kind, text, format_),))


def _blocks(content: Content, format_: Format) -> Iterator[CompressedBlock]:
    """Yield the header of each section and its lines."""
    for section in content.sections:
        yield _header(section.family.name, section.family.kind, section.family.help, format_)
        yield from section.blocks
