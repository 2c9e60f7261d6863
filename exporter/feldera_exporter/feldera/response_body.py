"""Reading a body within bounds, part by part: what comes over the line and what it decompresses to are both limited."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Final, Protocol, TypeVar

import httpx
from isal import isal_zlib

from feldera_exporter.feldera.errors import InvalidResponseError, TooLargeError
from feldera_exporter.feldera.redaction import KeyGuard

_STEP: Final = 256 * 1024
_MOST_OF_A_REFUSAL: Final = 64 * 1024
"""Bytes of an answer without success that are worth reading."""

Taken = TypeVar("Taken", covariant=True)  # noqa: PLC0105 - it is what it is of


class BodyReader(Protocol[Taken]):
    """What takes a body, decompressed, part by part."""

    @property
    def longest(self) -> int:
        """Bytes over the line beyond which the body is refused."""

    def take(self, part: bytes) -> None:
        """Take the next part, or raise an InvalidResponseError or a TooLargeError."""

    def end(self) -> Taken:
        """Return what the body is once all parts were taken, or raise one of these errors."""


class Whole:
    """Takes a body as it is.

    Args:
        longest: bytes that neither the body nor its compressed form may exceed.
    """

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self._body = bytearray()

    def take(self, part: bytes) -> None:
        """Take the next part."""
        _check(len(self._body) + len(part), self.longest)
        self._body += part

    def end(self) -> bytearray:
        """Return the body."""
        return self._body


async def read(response: httpx.Response, intake: BodyReader[Taken], guard: KeyGuard) -> Taken:
    """Read the whole body.

    Args:
        response: its headers have come, its body has not.
        intake: takes it.
        guard: must find nothing in it.

    Raises:
        InvalidResponseError: it is compressed in another way than asked for, or not rightly, or not what was asked for.
        TooLargeError: it is longer than the intake allows.
    """
    async for part in _parts(response, intake.longest):
        if guard.finds(part):
            raise InvalidResponseError("the body repeats the API key, which must be shown nowhere")
        intake.take(part)
    return intake.end()


async def of_refusal(response: httpx.Response) -> bytes | None:
    """Return the body of an answer without success, None where it cannot be read: the status says enough."""
    try:
        # What is repeated of it is made discreet.
        return bytes(await read(response, Whole(_MOST_OF_A_REFUSAL), KeyGuard(None)))
    except (InvalidResponseError, TooLargeError, httpx.HTTPError, OSError):
        return None


async def _parts(response: httpx.Response, longest: int) -> AsyncIterator[bytes]:
    """Yield the body step by step, decompressed; others have their turn in between."""
    encoding = response.headers.get("content-encoding", "identity").strip()
    if encoding.lower() not in {"identity", "gzip", "x-gzip"}:
        raise InvalidResponseError(f"the body is encoded as {encoding!r}, asked for gzip or identity")
    inflater = None if encoding.lower() == "identity" else _Inflater()
    received = 0
    async for part in response.aiter_raw():
        received += len(part)
        _check(received, longest)
        if inflater is None:
            yield part
            continue
        for step in inflater.steps(part):
            yield step
            await asyncio.sleep(0)
    if inflater is not None:
        yield inflater.end()


class _Inflater:
    """Decompresses step by step, so that a small body cannot become a huge one unnoticed."""

    def __init__(self) -> None:
        self._zlib = isal_zlib.decompressobj(16 + zlib.MAX_WBITS)

    def steps(self, part: bytes) -> Iterator[bytes]:
        data = part
        while data:
            if self._zlib.eof:
                raise InvalidResponseError("the compressed body goes on after its end")
            yield self._step(data)
            data = self._zlib.unconsumed_tail
        if self._zlib.unused_data:
            raise InvalidResponseError("the compressed body goes on after its end")

    def end(self) -> bytes:
        last = self._zlib.flush()
        if not self._zlib.eof:
            raise InvalidResponseError("the compressed body ends too early")
        return last

    def _step(self, data: bytes) -> bytes:
        try:
            return self._zlib.decompress(data, _STEP)
        except isal_zlib.error as error:  # type: ignore[misc]  # isal's stubs do not know it as an exception
            raise InvalidResponseError(f"the body is not gzip: {error}") from None


def _check(size: int, limit: int) -> None:
    if size > limit:
        raise TooLargeError(f"the body is longer than {limit} bytes")
