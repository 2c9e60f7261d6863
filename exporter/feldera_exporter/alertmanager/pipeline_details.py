"""The details that a pipeline's event log adds to its alerts: of the error, what Feldera waits for, the last transitions."""

from dataclasses import dataclass
from typing import Final

from feldera_exporter.micros import Micros
from feldera_exporter.pages import formatting
from feldera_exporter.pages.latest_events import LatestEvents, laid_out, waiting_for
from feldera_exporter.pages.timeline import timeline

MAX_CHARACTERS: Final = 2_000
"""The longest text of an annotation."""

_TRANSITIONS: Final = 5
"""The number of transitions in an annotation."""


@dataclass(frozen=True, slots=True)
class Details:
    """The details of a pipeline; a text is empty if it is not known.

    Attributes:
        error_message: the message of the deployment error in the newest event.
        waiting_for: Feldera's details of a transient status.
        last_transitions: the newest transitions, one a line, the newest first.
    """

    error_message: str = ""
    error_details: str = ""
    waiting_for: str = ""
    last_transitions: str = ""


UNKNOWN: Final = Details()


def short(text: str) -> str:
    """Return the beginning of a text, at most `MAX_CHARACTERS`, with control characters made visible."""
    return formatting.visible(text[:MAX_CHARACTERS])


def details(recent: LatestEvents, now: Micros) -> Details:
    """Return the details in a pipeline's latest events."""
    newest = recent.newest
    error = newest.deployment_error if newest is not None else None
    waited = waiting_for(recent)
    error_details = laid_out(error.details) if error is not None else None
    return Details(
        error_message=short(error.message) if error is not None else "",
        error_details=short(error_details.text) if error_details is not None else "",
        waiting_for=short(waited.text) if waited is not None else "",
        last_transitions=_last_transitions(recent, now),
    )


def _last_transitions(recent: LatestEvents, now: Micros) -> str:
    known = timeline(recent.events or (), "", now)
    changes = known.changes[:_TRANSITIONS] if known is not None else ()
    return "\n".join(
        f"{change.at.instant} {change.what}: {change.before.text} → {change.after.text}" for change in changes
    )
