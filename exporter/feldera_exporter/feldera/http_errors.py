"""What an answer without success means; answers that look alike are told apart."""

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

import httpx
import msgspec

from feldera_exporter.feldera.errors import (
    FelderaError,
    InvalidResponseError,
    NotFoundError,
    ServerError,
    UnauthorizedError,
    UnsupportedError,
)
from feldera_exporter.feldera.json_decoding import UNREADABLE


class _Told(msgspec.Struct, frozen=True, gc=False):
    """The part of Feldera's error value that is repeated in the log."""

    message: str = ""
    error_code: str = ""


_TOLD: Final = msgspec.json.Decoder(_Told)
_UNAUTHORIZED: Final = frozenset({401, 403})
_NOT_FOUND: Final = 404
_NOT_IMPLEMENTED: Final = 501
_BAD_REQUEST: Final = 400
# How nginx, Apache and Go's servers answer plain HTTP at a port for HTTPS.
_HTTPS_PORT: Final = (b"sent to HTTPS port", b"to an SSL-enabled server port", b"to an HTTPS server")


def refusal(response: httpx.Response, body: bytes | None) -> FelderaError:
    """Return the error that an answer without success is.

    Feldera answers an empty 404 for a route that it does not have and one with a JSON value for a thing that does
    not exist; a wrong key's 401 holds JSON although it says `text/plain` (pipeline-manager `auth.rs`, `error.rs`).

    Args:
        response: the answer.
        body: its body, None where it could not be read.
    """
    status = response.status_code
    told = _told(body)
    said = f"{status} {response.reason_phrase}".strip()
    if told is not None:
        said += f": {told.error_code}: {told.message}"
    if status == _BAD_REQUEST and any(each in (body or b"") for each in _HTTPS_PORT):
        said += ": this port speaks HTTPS: use https://"
    if response.is_redirect:
        return ServerError(f"{said}: redirects are not followed, since they would carry the key elsewhere")
    if response.is_success:
        return InvalidResponseError(f"{said}, expected 200")
    if status in _UNAUTHORIZED:
        return UnauthorizedError(said)
    if status == _NOT_IMPLEMENTED or (status == _NOT_FOUND and body == b""):
        return UnsupportedError(f"{said}: this server has no such route")
    if status == _NOT_FOUND and told is not None:
        return NotFoundError(said)
    return ServerError(said)


def check_type(response: httpx.Response) -> None:
    """Refuse a body that does not claim to be JSON.

    Raises:
        InvalidResponseError: it is of another type; Feldera's web console answers to every path outside of the API.
    """
    content_type = response.headers.get("content-type", "")
    if "json" not in content_type.lower():
        hint = " (Feldera's web console answers so: is the URL right?)" if "html" in content_type else ""
        raise InvalidResponseError(f"a body of {content_type!r}, expected JSON{hint}")


def retry_after(response: httpx.Response, now: float) -> float:
    """Return for how many seconds the server asks to be left alone, 0 where it does not say so in a way that can be read.

    Args:
        response: the answer.
        now: this machine's time, seconds since the epoch; for the form that names an instant.
    """
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdecimal():
        return float(value)
    instant = _instant(value)
    return max(0.0, instant - now) if instant is not None else 0.0


def date(response: httpx.Response) -> int | None:
    """Return the header `Date` in seconds since the epoch, None where it is missing or wrong."""
    instant = _instant(response.headers.get("date", ""))
    return int(instant) if instant is not None else None


def _instant(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
        # Of the three forms (RFC 9110 section 5.6.7) the oldest names no zone: all are UTC.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def _told(body: bytes | None) -> _Told | None:
    try:
        told = _TOLD.decode(body or b"")
    except UNREADABLE:
        return None
    return told if told.error_code else None
