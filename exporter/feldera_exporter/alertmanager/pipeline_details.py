"""What a look at a pipeline's event log adds to its alerts: the error's details, what Feldera waits for, the last transitions."""

from dataclasses import dataclass
from typing import Final

import msgspec

from feldera_exporter.feldera.json_decoding import UNREADABLE
from feldera_exporter.feldera.wire import Event
from feldera_exporter.pages import formatting
from feldera_exporter.pages.latest_events import LatestEvents, laid_out
from feldera_exporter.pages.timeline import timeline

MOST: Final = 2_000
"""Characters of a text that an alert carries."""

_TRANSITIONS: Final = 5

_WAITING_RESOURCES: Final = frozenset({"Provisioning", "Stopping"})
_WAITING_RUNTIME: Final = frozenset(
    {"Unavailable", "Initializing", "AwaitingApproval", "Bootstrapping", "Replaying", "Synchronizing"}
    | {"ConcurrentBootstrapping", "Coordination"}
)
_FIGURES: Final = ("connector_stats", "memory_max")
"""Keys of a pipeline's own details that say how much, and nothing about a wait."""

_ANY: Final = msgspec.json.Decoder()


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
    newest, events = recent.newest, recent.events or ()
    error = newest.deployment_error if newest is not None else None
    told = laid_out(error.details) if error is not None else None
    return Details(
        error_message=short(error.message) if error is not None else "",
        error_details=short(told.text) if told is not None else "",
        waiting_for=_waiting_for(recent, events[0]) if events else "",
        last_transitions=_last_transitions(recent, now),
    )


def _waiting_for(recent: LatestEvents, event: Event) -> str:
    newest = recent.newest
    if newest is None or newest.event_id != event.event_id:
        return ""
    if event.deployment_resources_status in _WAITING_RESOURCES:
        text = laid_out(newest.deployment_resources_status_details)
    elif event.deployment_runtime_status in _WAITING_RUNTIME:
        text = laid_out(_without_figures(newest.deployment_runtime_status_details))
    else:
        return ""
    return short(text.text) if text is not None else ""


def _without_figures(raw: msgspec.Raw) -> msgspec.Raw:
    try:
        value = _ANY.decode(raw)
    except UNREADABLE:
        return raw
    if not isinstance(value, dict):
        return raw
    left = {key: each for key, each in value.items() if key not in _FIGURES}
    return msgspec.Raw(msgspec.json.encode(left))


def _last_transitions(recent: LatestEvents, now: int) -> str:
    known = timeline(recent.events or (), "", now)
    changes = known.changes[:_TRANSITIONS] if known is not None else ()
    return "\n".join(
        f"{each.instant} {each.what}: {each.before.text} → {each.after.text}" for each in changes
    )
