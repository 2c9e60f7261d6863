"""Decoding: a body as what it was promised to be, or one error."""

from typing import Final, TypeVar

import msgspec

from feldera_exporter.feldera.errors import InvalidResponseError

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises: deep nesting and bad UTF-8 are no errors of its own."""

_Shape = TypeVar("_Shape")


def decoded(decoder: msgspec.json.Decoder[_Shape], body: bytes | bytearray) -> _Shape:
    """Return the body as the decoder's type.

    Raises:
        InvalidResponseError: it is something else.
    """
    try:
        return decoder.decode(body)
    except UNREADABLE as error:
        raise InvalidResponseError(f"unexpected body: {error}") from None
