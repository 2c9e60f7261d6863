"""What can come of asking Feldera, as values and errors.

* FelderaError: base; `outcome` is the label of `feldera_exporter_polls_total`
  * UnauthorizedError: 401 or 403; never final, since Feldera answers 401 when its database is down
  * DeadlineError: no whole answer within the timeout
  * UnreachableError: no connection, or it broke, or what came over it is not HTTP
  * ServerError: any other status that is not a success
    * UnsupportedError: 404 without a body, or 501: this server has no such route
    * NotFoundError: 404 with Feldera's JSON error: the thing asked for does not exist
  * InvalidResponseError: a success whose body is not what was promised
  * TooLargeError: a body beyond a size limit

`INTERNAL_ERROR` is the outcome of a poll that a mistake of the exporter itself ended.
"""

from dataclasses import dataclass
from typing import ClassVar, Final, Generic, TypeVar

from feldera_exporter.errors import ExporterError

INTERNAL_ERROR: Final = "internal_error"

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
    """Feldera did not answer as it should; the text is one line without secrets.

    Attributes:
        retry_after: for how many seconds the server asks to be left alone, 0 where it does not.
    """

    outcome: ClassVar[str]

    def __init__(self, text: str, retry_after: float = 0.0) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class UnauthorizedError(FelderaError):
    """The credentials are missing, wrong or too weak, or Feldera could not look them up."""

    outcome = "unauthorized"


class DeadlineError(FelderaError):
    """No whole answer came within the timeout."""

    outcome = "timeout"


class UnreachableError(FelderaError):
    """No connection could be made, or it broke, or what came over it is not HTTP."""

    outcome = "unreachable"


class ServerError(FelderaError):
    """Feldera answered with a status that is not a success."""

    outcome = "server_error"


class UnsupportedError(ServerError):
    """This server has no such route: an empty 404, or 501."""


class NotFoundError(ServerError):
    """The route exists, the thing asked for does not: 404 with Feldera's JSON error."""


class InvalidResponseError(FelderaError):
    """A success whose body is not what the API promises."""

    outcome = "invalid_response"


class TooLargeError(FelderaError):
    """A body beyond a limit."""

    outcome = "too_large"


Body = TypeVar("Body")


@dataclass(frozen=True, slots=True)
class Answer(Generic[Body]):
    """A successful answer.

    Attributes:
        body: the body, decompressed, as it was taken.
        date: seconds since the epoch in the `Date` header, None without one.
        elapsed: seconds from the request's start to the body's end.
    """

    body: Body
    date: int | None
    elapsed: float
