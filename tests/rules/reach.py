"""Which recordings and families a rule rests on."""

import re
from collections.abc import Set as AbstractSet
from typing import Final

from feldera_exporter.rules.model import Alert
from feldera_exporter.rules.promql import BASE_TAGS
from feldera_exporter.rules.recordings import recordings
from feldera_exporter.rules.rendering import expression
from feldera_exporter.rules.table import ALERTS

_NAME: Final = re.compile(
    r"\b(?:feldera[a-z_]*(?::[a-z_]+)+|feldera_[a-z_]+|process_start_time_seconds|up)(?=[{\[) \n])"
)
TELEMETRY: Final = frozenset(
    {
        "up",
        "process_start_time_seconds",
        "feldera_up",
        "feldera_exporter_build_info",
        "feldera_exporter_shard_info",
        "feldera_exporter_config_last_reload_success_timestamp_seconds",
        "feldera_exporter_poll_interval_seconds",
        "feldera_exporter_last_successful_poll_timestamp_seconds",
    }
)
"""What an exporter tells of itself, on which every alert rests."""

COMMON: Final = TELEMETRY | {"feldera_pipeline_created_timestamp_seconds", "feldera_pipeline_info"}
"""On which every alert about a pipeline rests, whatever its condition."""

RECORDINGS: Final = {recording.name: recording.expression for recording in recordings()}


def names(promql: str) -> frozenset[str]:
    """Return every recording and family that an expression rests on, directly or through recordings."""
    found: set[str] = set()
    queue = [promql]
    while queue:
        for name in set(_NAME.findall(queue.pop() + " ")) - found - {"feldera_instance"}:
            found.add(name)
            queue.append(RECORDINGS.get(name, ""))
    return frozenset(found)


def reach(alert: Alert) -> frozenset[str]:
    """Return every recording and family that an alert rests on, also by the alert that it yields to."""
    return names(expression(alert, BASE_TAGS)).union(*map(reach, graver(alert)))


def graver(alert: Alert) -> tuple[Alert, ...]:
    """Return the alert that an alert yields to, if there is one."""
    return tuple(other for other in ALERTS if other.name == alert.yields_to)


def fed(shown: AbstractSet[str]) -> frozenset[str]:
    """Return the rules that something is shown to: an alert none of whose own families is there cannot fire.

    But for one that telemetry itself may raise.

    Args:
        shown: the families.
    """
    own = {alert.name: reach(alert) - set(RECORDINGS) - COMMON for alert in ALERTS}
    alerts = [alert for alert in ALERTS if alert.evident or not own[alert.name] or own[alert.name] & shown]
    return frozenset(alert.name for alert in alerts).union(*map(reach, alerts))
