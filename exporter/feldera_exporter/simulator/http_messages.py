"""HTTP requests and responses as immutable values, and the forms of Feldera's responses."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from feldera_exporter.errors import ExporterError
from feldera_exporter.simulator.api_errors import ApiError

JSON: Final = "application/json"
TEXT: Final = "text/plain; charset=utf-8"
PLAIN: Final = "text/plain"
"""The type of metrics, which Feldera's clients compare with exactly this."""

ZIP: Final = "application/zip"

encode: Final = msgspec.json.Encoder().encode

Stream = Callable[[], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request; header names are lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One answer.

    Attributes:
        content_type: its type, "" for none.
        packed: the body in gzip, where it is ready already.
        stream: makes the body piece by piece instead, so that it is never whole in memory.
    """

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    packed: bytes | None = None
    stream: Stream | None = None


class QueryError(ExporterError):
    """A query that actix cannot read: 400 in plain text."""


def json(value: Any, status: int = 200) -> HttpAnswer:
    """Answer with JSON."""
    return HttpAnswer(status, encode(value))


def empty(status: int) -> HttpAnswer:
    """Answer without a body, as actix does for a route that it does not know."""
    return HttpAnswer(status, content_type="")


def refused(error: ApiError, *, retry_after: bool) -> HttpAnswer:
    """Answer with Feldera's error form; a 503 of the manager itself carries Retry-After since v0.330."""
    body = {"message": error.message, "error_code": error.error_code, "details": error.details}
    headers = {"retry-after": "5"} if error.retry_after and retry_after else {}
    return HttpAnswer(error.status, encode(body), headers=headers)


def choice(request: HttpRequest, parameter: str, options: tuple[str, ...], default: str) -> str:
    """Return a query parameter that has a closed set of values.

    Raises:
        QueryError: it has another one.
    """
    value = request.query.get(parameter, default)
    if value not in options:
        listed = ", ".join(f"`{option}`" for option in options)
        raise QueryError(f"Query deserialize error: unknown variant `{value}`, expected one of {listed}")
    return value


def flag(request: HttpRequest, parameter: str, *, default: bool) -> bool:
    """Return a query parameter that is true or false.

    Raises:
        QueryError: it is neither.
    """
    value = request.query.get(parameter)
    if value is None:
        return default
    if value not in {"true", "false"}:
        raise QueryError("Query deserialize error: provided string was not `true` or `false`")
    return value == "true"
