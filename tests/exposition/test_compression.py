import gzip
import zlib

from hypothesis import given
from hypothesis import strategies as st

from feldera_exporter.exposition.compressed_block import deflate, member


@given(st.lists(st.binary(max_size=5000), max_size=20))
def test_chunks_make_one_gzip_member(texts: list[bytes]) -> None:
    """Chunks that were compressed separately make one gzip file, whatever they contain."""
    reader = zlib.decompressobj(16 + zlib.MAX_WBITS)
    assert reader.decompress(b"".join(member(map(deflate, texts)))) == b"".join(texts)
    # Not several members: many readers stop after the first, silently.
    assert reader.eof
    assert reader.unused_data == b""


def test_a_chunk_can_stand_in_any_place() -> None:
    """A compressed chunk may be used twice in a member."""
    chunk = deflate(b"feldera_up 1\n" * 100)
    assert gzip.decompress(b"".join(member([chunk, deflate(b"x"), chunk]))) == (
        b"feldera_up 1\n" * 100 + b"x" + b"feldera_up 1\n" * 100
    )
