"""Decodes a JSON body, with one error for everything that may be wrong with it."""

from typing import Final, TypeVar

import msgspec

from feldera_exporter.feldera.errors import InvalidResponseError

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""The errors of msgspec's decoders: for deep nesting and bad UTF-8 they raise Python's errors."""

_Shape = TypeVar("_Shape")


def decoded(decoder: msgspec.json.Decoder[_Shape], body: bytes | bytearray) -> _Shape:
    """Return a body as the decoder's type.

    Raises:
        InvalidResponseError: the body is something else.
    """
    try:
        return decoder.decode(body)
    except UNREADABLE as error:
        raise InvalidResponseError(f"unexpected body: {error}") from None
