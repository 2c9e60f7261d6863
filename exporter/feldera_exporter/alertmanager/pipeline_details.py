"""The details that a pipeline's event log adds to its alerts: what Feldera waits for, and the last transitions."""

from dataclasses import dataclass
from typing import Final

from feldera_exporter.micros import Micros
from feldera_exporter.pages import formatting
from feldera_exporter.pages.latest_events import LatestEvents, waiting_for
from feldera_exporter.pages.timeline import timeline

MAX_CHARACTERS: Final = 2_000
"""The longest text of an annotation."""

_TRANSITIONS: Final = 5
"""The number of transitions in an annotation."""


@dataclass(frozen=True, slots=True)
class Details:
    """The details of a pipeline; a text is empty if it is not known.

    Attributes:
        waiting_for: Feldera's details of a transient status.
        last_transitions: the newest transitions, one a line, the newest first.
    """

    waiting_for: str = ""
    last_transitions: str = ""


UNKNOWN: Final = Details()


def short(text: str) -> str:
    """Return the beginning of a text, at most `MAX_CHARACTERS`, with control characters made visible."""
    return formatting.visible(text[:MAX_CHARACTERS])


def details(recent: LatestEvents, now: Micros) -> Details:
    """Return the details in a pipeline's latest events."""
    waited = waiting_for(recent)
    return Details(
        waiting_for=short(waited.text) if waited is not None else "",
        last_transitions=_last_transitions(recent, now),
    )


def _last_transitions(recent: LatestEvents, now: Micros) -> str:
    known = timeline(recent.events or (), "", now)
    changes = known.changes[:_TRANSITIONS] if known is not None else ()
    return "\n".join(
        f"{change.at.instant} {change.what}: {change.before.text} → {change.after.text}" for change in changes
    )
