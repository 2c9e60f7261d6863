"""What a look at a pipeline's event log adds to its alerts: the error's details, what Feldera waits for, the last transitions."""

from dataclasses import dataclass
from typing import Final

from feldera_exporter.pages import formatting
from feldera_exporter.pages.latest_events import LatestEvents, laid_out
from feldera_exporter.pages.timeline import timeline
from feldera_exporter.pages.waiting import waiting_for

MOST: Final = 2_000
"""Characters of a text that an alert carries."""

_TRANSITIONS: Final = 5


@dataclass(frozen=True, slots=True)
class Details:
    """What was learnt; each text is empty where nothing was.

    Attributes:
        error_message: of the newest event's error, to tell whether the details belong to the present one.
        error_details: what Feldera says of that error beyond its message.
        waiting_for: what Feldera says of a status that should pass.
        last_transitions: the newest ones, one a line, the newest first.
    """

    error_message: str = ""
    error_details: str = ""
    waiting_for: str = ""
    last_transitions: str = ""


UNKNOWN: Final = Details()


def short(text: str) -> str:
    """Return as much of a text as an alert carries; control characters can be seen in it."""
    return formatting.visible(text[:MOST])


def details(recent: LatestEvents, now: int) -> Details:
    """Return what an answer of Feldera adds.

    Args:
        recent: what it was asked for.
        now: microseconds since the epoch by Feldera's clock.
    """
    newest = recent.newest
    error = newest.deployment_error if newest is not None else None
    waited = waiting_for(recent)
    told = laid_out(error.details) if error is not None else None
    return Details(
        error_message=short(error.message) if error is not None else "",
        error_details=short(told.text) if told is not None else "",
        waiting_for=short(waited.text) if waited is not None else "",
        last_transitions=_last_transitions(recent, now),
    )


def _last_transitions(recent: LatestEvents, now: int) -> str:
    known = timeline(recent.events or (), "", now)
    changes = known.changes[:_TRANSITIONS] if known is not None else ()
    return "\n".join(
        f"{each.instant} {each.what}: {each.before.text} → {each.after.text}" for each in changes
    )
