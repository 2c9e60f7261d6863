"""A snapshot: the state of all instances at one time, rendered and compressed at most once for each format."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any, Final

from feldera_exporter.exposition.compressed_block import CompressedBlock, deflate, member
from feldera_exporter.exposition.family import Family
from feldera_exporter.exposition.text import Format, header

CHUNK_BYTES: Final = 512 * 1024
"""The least size of a chunk. Smaller ones cost more system calls, much larger ones fill the buffers of slow connections."""


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
        self._bodies: dict[tuple[Format, bool], Sequence[bytes]] = {}
        self._rendering = Lock()

    def ready(self, format_: Format, *, packed: bool) -> Sequence[bytes] | None:
        """Return the result of `body` if it is cached; None where it must be rendered first."""
        return self._bodies.get((format_, packed))

    def body(self, format_: Format, *, packed: bool) -> Sequence[bytes]:
        """Return the exposition in parts: one gzip member, or plain. Each form is rendered once."""
        with self._rendering:
            body = self._bodies.get((format_, packed))
            if body is not None:
                return body
            if self._content is None:
                self._content = self._make()
            # The text is cached, so that the plain and the compressed exposition are equal.
            if format_ not in self._registry:
                self._registry[format_] = self._content.registry(format_) + format_.end
            end = self._registry[format_]
            blocks = _blocks(self._content, format_)
            if packed:
                deflated = [*(block.deflated for block in blocks), deflate(end)]
                # The parts are many and short, so they are joined once, not for each response.
                body = tuple(chunks(member(deflated)))
                size = sum(part.length for part in deflated)
            else:
                # Not joined, since it can have hundreds of megabytes.
                body = (*(block.text for block in blocks), end)
                size = sum(map(len, body))
            self._content.measured(format_, size)
            self._bodies[format_, packed] = body
            return body


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


@lru_cache(maxsize=1024)
def _header(name: str, kind: str, text: str, format_: Format) -> CompressedBlock:
    return CompressedBlock.of((header(name, kind, text, format_),))


def _blocks(content: Content, format_: Format) -> Iterator[CompressedBlock]:
    """Yield the header of each section and its lines."""
    for section in content.sections:
        yield _header(section.family.name, section.family.kind, section.family.help, format_)
        yield from section.blocks
