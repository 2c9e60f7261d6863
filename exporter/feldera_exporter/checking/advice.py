"""What a configuration says that is allowed, and hardly meant."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Final
from urllib.parse import urlsplit

from feldera_exporter.checking import boards
from feldera_exporter.config import Configuration, Instance, Tls
from feldera_exporter.config.mistakes import nearest
from feldera_exporter.feldera.vocabulary import DIMENSIONS
from feldera_exporter.fleet.drift import Difference
from feldera_exporter.polling.connection import key_in
from feldera_exporter.rules.recordings import recordings
from feldera_exporter.rules.table import ALERTS

KNOWN: Final = frozenset(chain.from_iterable(dimension.statuses for dimension in DIMENSIONS)) | {*Difference}
"""Everything that Feldera, as far as this version knows it, lets a limit be for."""

_METRIC: Final = re.compile(r"feldera[a-z0-9_:]*")
_PARTS: Final = ("_bucket", "_sum", "_count")


def advice(configuration: Configuration) -> Iterator[str]:
    """Yield warnings, each a line that begins with the place in the configuration."""
    for index, instance in enumerate(configuration.instances):
        yield from (f"instances[{index}].{line}" for line in _trust(instance))
    yield from _excluded(configuration)
    yield from _limits("limits.defaults", configuration.limits.defaults)
    for index, override in enumerate(configuration.limits.overrides):
        yield from _limits(f"limits.overrides[{index}].limits", override.limits)


def _trust(instance: Instance) -> Iterator[str]:
    parts = urlsplit(instance.url)
    path = instance.api_key_file
    if path is not None:
        key, reason = key_in(path)
        if key is None:
            yield f"api_key_file: there is no API key in {path}: {reason}"
    if parts.scheme == "http":
        if instance.tls != Tls():
            yield "tls: it does nothing, since the url is not https"
        if (path is not None or instance.api_key is not None) and not _is_here(parts.hostname or ""):
            yield "url: the API key goes over the network unencrypted, since it is not https"
    elif instance.tls.insecure_skip_verify:
        yield "tls.insecure_skip_verify: any server is believed to be Feldera, and gets the API key"


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".") == "localhost" or host.rstrip(".").endswith(".localhost")


def _limits(place: str, limits: Mapping[str, float]) -> Iterator[str]:
    for status in limits:
        if status not in KNOWN:
            guess = nearest(status, KNOWN)
            hint = f"; the nearest known one is {guess}" if guess else ""
            yield f"{place}.{status}: this version knows no such status of Feldera{hint}"


def _excluded(configuration: Configuration) -> Iterator[str]:
    excluded = configuration.metrics.exclude
    if not excluded:
        return
    recorded = _recorded()
    alerts = {alert.name: _read(alert.condition, recorded) for alert in ALERTS}
    dashboards = {f'"{title}"': _read(text, recorded) for title, text in boards.queries().items()}
    silenced = {name for name, choice in configuration.alerts.items() if not choice.enabled}
    for index, family in enumerate(excluded):
        place = f"metrics.exclude[{index}]: without {family}"
        missing = sorted(name for name, used in alerts.items() if family in used and name not in silenced)
        if missing:
            more = f" and {len(missing) - 3} more alerts" if len(missing) > 3 else ""
            yield f"{place} there is no {', '.join(missing[:3])}{more}"
        empty = [title for title, used in dashboards.items() if family in used]
        if empty:
            yield f"{place} there are empty panels on {' and '.join(empty)}"


def _recorded() -> Mapping[str, frozenset[str]]:
    """Return the families that each recording reads, itself or by way of others."""
    recorded: dict[str, frozenset[str]] = {}
    for recording in recordings():
        recorded[recording.name] = _read(recording.expression, recorded)
    return recorded


def _read(expression: str, recorded: Mapping[str, frozenset[str]]) -> frozenset[str]:
    families: set[str] = set()
    for name in _METRIC.findall(expression):
        families |= recorded.get(name, frozenset({name}))
        for part in _PARTS:
            families.add(name.removesuffix(part))
    return frozenset(families)
