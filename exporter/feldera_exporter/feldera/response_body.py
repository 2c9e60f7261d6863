"""Reads a body part by part; both its compressed and its decompressed size are limited."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from typing import Final, Protocol, TypeVar

import httpx
from isal import isal_zlib

from feldera_exporter.feldera.errors import InvalidResponseError, TooLargeError

_STEP: Final = 256 * 1024
_MAX_ERROR_BODY: Final = 64 * 1024
"""Bytes of the body of an error that are read at most."""

Body = TypeVar("Body", covariant=True)  # noqa: PLC0105 - the type of the body


class BodyReader(Protocol[Body]):
    """Reads a decompressed body part by part."""

    @property
    def longest(self) -> int:
        """The size of the compressed body beyond which it is refused, in bytes."""

    def take(self, part: bytes) -> None:
        """Read the next part, or raise InvalidResponseError or TooLargeError."""

    def end(self) -> Body:
        """Return the result after all parts were read, or raise one of these errors."""


class Whole:
    """Reads a body unchanged; neither it nor its compressed form may be longer than `longest` bytes."""

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self._body = bytearray()

    def take(self, part: bytes) -> None:
        """Read the next part."""
        _check(len(self._body) + len(part), self.longest)
        self._body += part

    def end(self) -> bytearray:
        """Return the body."""
        return self._body


async def read(response: httpx.Response, reader: BodyReader[Body]) -> Body:
    """Read the body of a response.

    Raises:
        InvalidResponseError: the encoding is unknown or broken, or the reader refused it.
        TooLargeError: it is longer than the reader allows.
    """
    async for part in _parts(response, reader.longest):
        reader.take(part)
    return reader.end()


async def error_body(response: httpx.Response) -> bytes | None:
    """Return the body of a response without success, None if it cannot be read: the status is enough."""
    try:
        return bytes(await read(response, Whole(_MAX_ERROR_BODY)))
    except (InvalidResponseError, TooLargeError, httpx.HTTPError, OSError):
        return None


async def _parts(response: httpx.Response, longest: int) -> AsyncIterator[bytes]:
    """Yield the decompressed body in small parts; other tasks run in between."""
    encoding = response.headers.get("content-encoding", "identity").strip()
    if encoding.lower() not in {"identity", "gzip", "x-gzip"}:
        raise InvalidResponseError(f"the body is encoded as {encoding!r}, expected gzip or identity")
    inflater = None if encoding.lower() == "identity" else isal_zlib.decompressobj(16 + zlib.MAX_WBITS)
    received = 0
    async for part in response.aiter_raw():
        received += len(part)
        _check(received, longest)
        if inflater is None:
            yield part
            continue
        rest = part
        while rest:
            if inflater.eof:
                raise InvalidResponseError("the compressed body goes on after its end")
            try:
                # In small parts, so that a small body that becomes a huge one is noticed early.
                yield inflater.decompress(rest, _STEP)
            except isal_zlib.error as error:  # type: ignore[misc]  # isal's stubs do not declare it as an exception
                raise InvalidResponseError(f"the body is not gzip: {error}") from None
            await asyncio.sleep(0)
            rest = inflater.unconsumed_tail or inflater.unused_data
    if inflater is not None:
        yield inflater.flush()
        if not inflater.eof:
            raise InvalidResponseError("the compressed body ends too early")


def _check(size: int, limit: int) -> None:
    if size > limit:
        raise TooLargeError(f"the body is longer than {limit} bytes")
