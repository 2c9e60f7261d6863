"""Reading a body within bounds: what comes over the line and what it decompresses to are both limited."""

import zlib
from typing import Final

import httpx
from isal import isal_zlib

from feldera_exporter.feldera.answers import InvalidResponseError, TooLargeError

_STEP: Final = 256 * 1024
_MOST_OF_A_REFUSAL: Final = 64 * 1024
"""Bytes of an answer without success that are worth reading."""


async def whole(response: httpx.Response, limit: int) -> bytearray:
    """Return the whole body, decompressed.

    Args:
        response: its headers have come, its body has not.
        limit: bytes that neither the body nor its compressed form may exceed.

    Raises:
        InvalidResponseError: it is compressed in another way than asked for, or not rightly.
        TooLargeError: it is longer than the limit.
    """
    encoding = response.headers.get("content-encoding", "identity").strip()
    if encoding.lower() not in {"identity", "gzip", "x-gzip"}:
        raise InvalidResponseError(f"the body is encoded as {encoding!r}, asked for gzip or identity")
    inflater = None if encoding.lower() == "identity" else _Inflater(limit)
    body = bytearray() if inflater is None else inflater.body
    received = 0
    async for part in response.aiter_raw():
        received += len(part)
        _check(received, limit)
        if inflater is None:
            body += part
        else:
            inflater.feed(part)
    if inflater is not None:
        inflater.end()
    return body


async def of_refusal(response: httpx.Response) -> bytes | None:
    """Return the body of an answer without success, None where it cannot be read: the status says enough."""
    try:
        return bytes(await whole(response, _MOST_OF_A_REFUSAL))
    except (InvalidResponseError, TooLargeError, httpx.HTTPError, OSError):
        return None


class _Inflater:
    """Decompresses step by step, so that a small body cannot become a huge one unnoticed."""

    def __init__(self, limit: int) -> None:
        self.body = bytearray()
        self._limit = limit
        self._zlib = isal_zlib.decompressobj(16 + zlib.MAX_WBITS)

    def feed(self, part: bytes) -> None:
        data = part
        while data:
            if self._zlib.eof:
                raise InvalidResponseError("the compressed body goes on after its end")
            self._append(self._step(data))
            data = self._zlib.unconsumed_tail
        if self._zlib.unused_data:
            raise InvalidResponseError("the compressed body goes on after its end")

    def end(self) -> None:
        self._append(self._zlib.flush())
        if not self._zlib.eof:
            raise InvalidResponseError("the compressed body ends too early")

    def _step(self, data: bytes) -> bytes:
        try:
            return self._zlib.decompress(data, _STEP)
        except isal_zlib.error as error:  # type: ignore[misc]  # isal's stubs do not know it as an exception
            raise InvalidResponseError(f"the body is not gzip: {error}") from None

    def _append(self, data: bytes) -> None:
        _check(len(self.body) + len(data), self._limit)
        self.body += data


def _check(size: int, limit: int) -> None:
    if size > limit:
        raise TooLargeError(f"the body is longer than {limit} bytes")
