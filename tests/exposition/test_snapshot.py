"""A snapshot is rendered and compressed once, at the first request, and never without one."""

import gzip
import threading
from collections.abc import Callable

from feldera_exporter.exposition.compressed_block import CompressedBlock
from feldera_exporter.exposition.family import Family
from feldera_exporter.exposition.snapshot import CHUNK_BYTES, Content, Section, Snapshot, chunks
from feldera_exporter.exposition.text import Format

FAMILY: Family[object] = Family("a", "counter", "Help.", (), lambda _: ())


def _snapshot(*blocks: bytes, made: Callable[[], object] = int) -> tuple[Snapshot, list[tuple[str, int]]]:
    measured: list[tuple[str, int]] = []

    def content() -> Content:
        made()
        sections = [Section(FAMILY, [CompressedBlock.of((text,)) for text in blocks])]
        return Content(sections, lambda _: b"own 1\n", lambda format_, size: measured.append((format_, size)))

    return Snapshot(content), measured


def test_both_forms_say_the_same() -> None:
    """The gzip member has the plain bytes in both formats, and the length is right."""
    snapshot, measured = _snapshot(b"a_total 1\n", b"a_total 2\n")
    for format_, name, end in ((Format.TEXT, "a_total", b""), (Format.OPENMETRICS, "a", b"# EOF\n")):
        plain = b"".join(snapshot.body(format_, packed=False))
        header = f"# HELP {name} Help.\n# TYPE {name} counter\n".encode()
        assert plain == header + b"a_total 1\na_total 2\nown 1\n" + end
        assert gzip.decompress(b"".join(snapshot.body(format_, packed=True))) == plain
        assert sum(map(len, snapshot.body(format_, packed=False))) == len(plain)
        assert measured[-1] == (format_, len(plain))


def test_no_request() -> None:
    """Nothing is rendered before the first request, and only once for all requests."""
    calls = [0]

    def made() -> None:
        calls[0] += 1

    snapshot, measured = _snapshot(b"a_total 1\n", made=made)
    assert snapshot.ready(Format.TEXT, packed=True) is None
    assert calls == [0]
    readers = [
        threading.Thread(target=snapshot.body, args=(Format.TEXT,), kwargs={"packed": True}) for _ in range(8)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert calls == [1]
    assert len(measured) == 1
    assert snapshot.ready(Format.TEXT, packed=True) is snapshot.body(Format.TEXT, packed=True)
    assert snapshot.ready(Format.OPENMETRICS, packed=True) is None
    assert snapshot.ready(Format.TEXT, packed=False) is None
    assert snapshot.body(Format.TEXT, packed=False) is snapshot.ready(Format.TEXT, packed=False)
    assert len(measured) == 2


def test_the_plain_form_is_not_copied() -> None:
    """It consists of the blocks themselves, which are joined to chunks as they are written."""
    block = b"a_total 1\n" * 2000
    snapshot, _ = _snapshot(*[block] * 100)
    parts = snapshot.body(Format.TEXT, packed=False)
    assert sum(part is block for part in parts) == 100
    written = list(chunks(parts))
    assert b"".join(written) == b"".join(parts)
    assert all(CHUNK_BYTES <= len(piece) < CHUNK_BYTES + len(block) for piece in written[:-1])
    assert len(written) == -(-100 * len(block) // CHUNK_BYTES)


def test_a_block_is_compressed_once() -> None:
    """The compressed form stays with the block as long as the block does."""
    block = CompressedBlock.of((b"a 1\n", b"a 2\n"))
    assert block.deflated is block.deflated
    assert (block.samples, list(block.ends)) == (2, [0, 4, 8])
    patched = block.patched({1: b"a 3\na 4\n"})
    assert (patched.text, patched.samples) == (b"a 1\na 3\na 4\n", 3)
    assert list(patched.ends) == [0, 4, 12]
