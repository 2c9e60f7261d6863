"""What a pipeline waits for: Feldera's details of a transient status."""

from typing import Final

import msgspec

from feldera_exporter.feldera.json_decoding import UNREADABLE
from feldera_exporter.pages.latest_events import Excerpt, LatestEvents, laid_out

_WAITING_RESOURCES: Final = frozenset({"Provisioning", "Stopping"})
_WAITING_RUNTIME: Final = frozenset(
    {"Unavailable", "Initializing", "AwaitingApproval", "Bootstrapping", "Replaying", "Synchronizing"}
    | {"ConcurrentBootstrapping", "Coordination"}
)
_FIGURES: Final = ("connector_stats", "memory_max")
"""Keys of the details that are figures, and say nothing about a wait."""

_ANY: Final = msgspec.json.Decoder()


def waiting_for(recent: LatestEvents) -> Excerpt | None:
    """Return Feldera's details of the present status; None without details, or where the status is not transient."""
    newest = recent.newest
    if newest is None or not recent.events or newest.event_id != recent.events[0].event_id:
        return None
    event = recent.events[0]
    if event.deployment_resources_status in _WAITING_RESOURCES:
        return laid_out(newest.deployment_resources_status_details)
    if event.deployment_runtime_status in _WAITING_RUNTIME:
        return laid_out(_without_figures(newest.deployment_runtime_status_details))
    return None


def _without_figures(raw: msgspec.Raw) -> msgspec.Raw:
    try:
        value = _ANY.decode(raw)
    except UNREADABLE:
        return raw
    if not isinstance(value, dict):
        return raw
    left = {key: each for key, each in value.items() if key not in _FIGURES}
    return msgspec.Raw(msgspec.json.encode(left))
