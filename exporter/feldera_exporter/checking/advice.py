"""What a configuration says that is allowed, and hardly meant."""

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Final

from feldera_exporter.config import Configuration
from feldera_exporter.config.mistakes import nearest
from feldera_exporter.feldera.vocabulary import DIMENSIONS
from feldera_exporter.fleet.drift import Difference
from feldera_exporter.rules.recordings import recordings
from feldera_exporter.rules.table import ALERTS

KNOWN: Final = frozenset(chain.from_iterable(dimension.statuses for dimension in DIMENSIONS)) | {*Difference}
"""Everything that Feldera, as far as this version knows it, lets a limit be for."""

_METRIC: Final = re.compile(r"feldera[a-z0-9_:]*")
_PARTS: Final = ("_bucket", "_sum", "_count")


def advice(configuration: Configuration) -> Iterator[str]:
    """Yield warnings, each a line that begins with the place in the configuration."""
    yield from _excluded(configuration)
    yield from _limits("limits.defaults", configuration.limits.defaults)
    for index, override in enumerate(configuration.limits.overrides):
        yield from _limits(f"limits.overrides[{index}].limits", override.limits)


def _limits(place: str, limits: Mapping[str, float]) -> Iterator[str]:
    for status in limits:
        if status not in KNOWN:
            guess = nearest(status, KNOWN)
            hint = f"; the nearest known one is {guess}" if guess else ""
            yield f"{place}.{status}: this version knows no such status of Feldera{hint}"


def _excluded(configuration: Configuration) -> Iterator[str]:
    excluded = configuration.metrics.exclude
    needs = _needs() if excluded else {}
    silenced = {name for name, choice in configuration.alerts.items() if not choice.enabled}
    for index, family in enumerate(excluded):
        alerts = sorted(name for name, used in needs.items() if family in used and name not in silenced)
        if alerts:
            more = f" and {len(alerts) - 3} more alerts" if len(alerts) > 3 else ""
            yield f"metrics.exclude[{index}]: without {family} there is no {', '.join(alerts[:3])}{more}"


def _needs() -> Mapping[str, frozenset[str]]:
    """Return the families that each alert reads, itself or by way of recordings."""
    recorded: dict[str, frozenset[str]] = {}
    for recording in recordings():
        recorded[recording.name] = _read(recording.expression, recorded)
    return {alert.name: _read(alert.condition, recorded) for alert in ALERTS}


def _read(expression: str, recorded: Mapping[str, frozenset[str]]) -> frozenset[str]:
    families: set[str] = set()
    for name in _METRIC.findall(expression):
        families |= recorded.get(name, frozenset({name}))
        for part in _PARTS:
            families.add(name.removesuffix(part))
    return frozenset(families)
