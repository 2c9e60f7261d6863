"""Which recordings and families a rule rests on."""

import re
from typing import Final

from feldera_exporter.rules.model import Alert
from feldera_exporter.rules.promql import BASE_TAGS
from feldera_exporter.rules.recordings import recordings
from feldera_exporter.rules.rendering import expression
from feldera_exporter.rules.table import ALERTS

_NAME: Final = re.compile(
    r"\b(?:feldera[a-z_]*(?::[a-z_]+)+|feldera_[a-z_]+|process_start_time_seconds|up)(?=[{\[) \n])"
)
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
