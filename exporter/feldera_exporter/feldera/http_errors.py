"""The errors that responses without success stand for, and the headers that matter."""

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

import httpx
import msgspec
from httpx import codes

from feldera_exporter.feldera.errors import (
    FelderaError,
    InvalidResponseError,
    NotFoundError,
    ServerError,
    UnauthorizedError,
    UnsupportedError,
)
from feldera_exporter.feldera.json_decoding import UNREADABLE
from feldera_exporter.feldera.wire import ErrorResponse

_ERROR: Final = msgspec.json.Decoder(ErrorResponse)
# How nginx, Apache and Go's servers respond to plain HTTP at a port for HTTPS.
_HTTPS_PORT: Final = (b"sent to HTTPS port", b"to an SSL-enabled server port", b"to an HTTPS server")


def refusal(response: httpx.Response, body: bytes | None) -> FelderaError:
    """Return the error that a response without success stands for.

    Feldera's 404 is empty for an unknown route, and has a JSON value for a thing that does not exist. The 401 for a
    wrong key has JSON too, although it says `text/plain` (pipeline-manager `auth.rs`, `error.rs`). The body is None if it
    could not be read.
    """
    status = response.status_code
    error = _error(body)
    text = f"{status} {response.reason_phrase}".strip()
    if error is not None:
        text += f": {error.error_code}: {error.message}"
    if status == codes.BAD_REQUEST and any(each in (body or b"") for each in _HTTPS_PORT):
        text += ": this port speaks HTTPS: use https://"
    if response.is_redirect:
        return ServerError(f"{text}: redirects are not followed, since they could send the key elsewhere")
    if response.is_success:
        return InvalidResponseError(f"{text}, expected 200")
    if status in {codes.UNAUTHORIZED, codes.FORBIDDEN}:
        return UnauthorizedError(text)
    if status == codes.NOT_IMPLEMENTED or (status == codes.NOT_FOUND and body == b""):
        return UnsupportedError(f"{text}: this server has no such route")
    if status == codes.NOT_FOUND and error is not None:
        return NotFoundError(text)
    return ServerError(text)


def check_type(response: httpx.Response) -> None:
    """Check that a body is declared as JSON.

    Raises:
        InvalidResponseError: it is not; Feldera's web console responds to every path outside of the API.
    """
    content_type = response.headers.get("content-type", "")
    if "json" not in content_type.lower():
        hint = " (as from Feldera's web console: is the URL right?)" if "html" in content_type else ""
        raise InvalidResponseError(f"a body of {content_type!r}, expected JSON{hint}")


def retry_after(response: httpx.Response, now: float) -> float:
    """Return the seconds for which the server asks for no other request, 0 without a readable `Retry-After`.

    `now` is this machine's time in seconds since the epoch, for a header that names an instant.
    """
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdecimal():
        return float(value)
    instant = _instant(value)
    return max(0.0, instant - now) if instant is not None else 0.0


def date(response: httpx.Response) -> int | None:
    """Return the `Date` header in seconds since the epoch, None if it is missing or wrong."""
    instant = _instant(response.headers.get("date", ""))
    return int(instant) if instant is not None else None


def _instant(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
        # The oldest of the three formats (RFC 9110 section 5.6.7) has no zone: all are UTC.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def _error(body: bytes | None) -> ErrorResponse | None:
    try:
        error = _ERROR.decode(body or b"")
    except UNREADABLE:
        return None
    return error if error.error_code else None
