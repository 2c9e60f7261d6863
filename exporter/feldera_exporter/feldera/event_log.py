"""Decodes the answers about a pipeline's event log."""

from collections.abc import Sequence
from typing import Final

import msgspec

from feldera_exporter.feldera.json_decoding import decoded
from feldera_exporter.feldera.wire import Event

_EVENTS: Final[msgspec.json.Decoder[list[Event]]] = msgspec.json.Decoder(list[Event])
_EVENT: Final = msgspec.json.Decoder(Event)


def read(body: bytes | bytearray) -> Sequence[Event]:
    """Return the events of an answer to `GET /v0/pipelines/{name}/events?selector=status`, the newest first.

    Raises:
        InvalidResponseError: the body is no event log.
    """
    return decoded(_EVENTS, body)


def error_code(body: bytes | bytearray) -> str | None:
    """Return the code of the error in an answer to `GET …/events/{id}?selector=all`, None without an error.

    Raises:
        InvalidResponseError: the body is no event.
    """
    error = decoded(_EVENT, body).deployment_error
    return None if error is None else error.error_code
