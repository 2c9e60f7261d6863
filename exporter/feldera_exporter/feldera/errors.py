"""The results of a request to Feldera, as values and errors."""

from dataclasses import dataclass
from typing import ClassVar, Final, Generic, TypeVar

from feldera_exporter.errors import ExporterError

INTERNAL_ERROR: Final = "internal_error"
"""The outcome of a poll that a bug of the exporter ended."""

OUTCOMES: Final = (
    "success",
    "unauthorized",
    "timeout",
    "unreachable",
    "server_error",
    "invalid_response",
    "too_large",
    INTERNAL_ERROR,
)
"""Every value of the label `outcome`."""


class FelderaError(ExporterError):
    """A request failed; the text is one line without secrets.

    Attributes:
        outcome: a value of the label of `feldera_exporter_polls_total`.
        retry_after: seconds for which the server asks for no other request, 0 if it does not.
    """

    outcome: ClassVar[str]

    def __init__(self, text: str, retry_after: float = 0.0) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class UnauthorizedError(FelderaError):
    """401 or 403: the API key is missing, wrong or lacks a permission, or Feldera could not look it up in its database."""

    outcome = "unauthorized"


class DeadlineError(FelderaError):
    """There was no complete response within the timeout."""

    outcome = "timeout"


class UnreachableError(FelderaError):
    """No connection could be made, it broke, or the server does not speak HTTP."""

    outcome = "unreachable"


class ServerError(FelderaError):
    """The status of the response is not a success."""

    outcome = "server_error"


class UnsupportedError(ServerError):
    """This server has no such route: an empty 404, or 501."""


class NotFoundError(ServerError):
    """The route exists, the requested thing does not: 404 with Feldera's JSON error."""


class InvalidResponseError(FelderaError):
    """A success whose body is not what the API describes."""

    outcome = "invalid_response"


class TooLargeError(FelderaError):
    """A body beyond a limit."""

    outcome = "too_large"


Body = TypeVar("Body")


@dataclass(frozen=True, slots=True)
class Answer(Generic[Body]):
    """A successful response.

    Attributes:
        body: the decompressed body, as its reader returned it.
        date: the `Date` header in seconds since the epoch, None without one.
        elapsed: seconds from the start of the request to the end of the body.
    """

    body: Body
    date: int | None
    elapsed: float
