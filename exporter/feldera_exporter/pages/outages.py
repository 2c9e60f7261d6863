"""The view of an outage: why there is no current data of an instance."""

from dataclasses import dataclass
from typing import Final

from feldera_exporter.feldera.errors import (
    INTERNAL_ERROR,
    DeadlineError,
    InvalidResponseError,
    ServerError,
    TooLargeError,
    UnauthorizedError,
)
from feldera_exporter.micros import Micros
from feldera_exporter.pages import formatting
from feldera_exporter.pages.formatting import Moment
from feldera_exporter.pages.links import Links
from feldera_exporter.state.fleet import PollFailure

_CAUSES: Final = {
    UnauthorizedError.outcome: "Feldera refuses the API key",
    DeadlineError.outcome: "Feldera does not answer in time",
    ServerError.outcome: "Feldera answers with an error",
    InvalidResponseError.outcome: "The answer is not a list of pipelines",
    TooLargeError.outcome: "The answer is larger than max_response_size",
    INTERNAL_ERROR: "The exporter has a defect",
}
"""The meaning of a poll's outcome; the text of a connection error says it itself."""

_LONGEST: Final = 300
"""Characters of a cause."""


@dataclass(frozen=True, slots=True)
class Outage:
    """Why there is no current data of an instance, since polls began to fail; `runbook` is an address."""

    cause: str
    url: str
    since: Moment
    runbook: str


def outage(failure: PollFailure, instance: str, url: str, links: Links, now: Micros) -> Outage:
    """Return the view of an outage."""
    text = failure.text[:_LONGEST]
    cause = _CAUSES.get(failure.outcome)
    refused = failure.outcome == UnauthorizedError.outcome
    return Outage(
        cause=f"{cause}: {text}" if cause is not None else text[:1].upper() + text[1:],
        url=url,
        since=formatting.moment(failure.since, now),
        runbook=links.runbook_of("FelderaApiAuthFailed" if refused else "FelderaApiUnreachable", instance),
    )
