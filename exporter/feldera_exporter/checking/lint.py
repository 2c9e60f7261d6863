"""What a configuration says that is allowed, and hardly meant."""

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Final
from urllib.parse import urlsplit

from feldera_exporter.checking import dashboard_queries
from feldera_exporter.config import AlertChoice, Configuration, Instance, Tls
from feldera_exporter.config.errors import nearest
from feldera_exporter.feldera.statuses import DIMENSIONS, Difference
from feldera_exporter.polling.client_factory import key_in
from feldera_exporter.rules.rendering import expressions

KNOWN: Final = frozenset(chain.from_iterable(dimension.statuses for dimension in DIMENSIONS)) | {*Difference}
"""Everything that Feldera, as far as this version knows it, lets a limit be for."""

_METRIC: Final = re.compile(r"feldera[a-z0-9_:]*")
_PART: Final = re.compile(r"_(?:bucket|sum|count)$")
_VARIABLE: Final = re.compile(r"\$\{\w+\}|\$\(\w+\)")
_LITERAL: Final = "${…} is taken as it is written: no variable of the environment is put in its place"
_MOST: Final = 3
"""Alerts of one line that are named."""


def advice(configuration: Configuration) -> Iterator[str]:
    """Yield warnings, each a line that begins with the place in the configuration."""
    yield from (f"{place}: {_LITERAL}" for place, text in _texts(configuration) if _VARIABLE.search(text))
    for index, instance in enumerate(configuration.instances):
        yield from (f"instances[{index}].{line}" for line in _trust(instance))
    yield from _excluded(configuration)
    yield from _limits("limits.defaults", configuration.limits.defaults)
    for index, override in enumerate(configuration.limits.overrides):
        yield from _limits(f"limits.overrides[{index}].limits", override.limits)


def _texts(configuration: Configuration) -> Iterator[tuple[str, str]]:
    """Yield the texts in which people expect variables to be replaced, each with its place."""
    for index, instance in enumerate(configuration.instances):
        if instance.api_key is not None:
            yield f"instances[{index}].api_key", instance.api_key.reveal()
        for name, value in instance.headers.items():
            yield f"instances[{index}].headers.{name}", value.reveal()
    for label, text in configuration.alert_labels.items():
        yield f"alert_labels.{label}", text
    for name, choice in configuration.alerts.items():
        yield from ((f"alerts.{name}.labels.{label}", text) for label, text in choice.labels.items())
    if configuration.alertmanager is not None:
        for label, text in configuration.alertmanager.labels.items():
            yield f"alertmanager.labels.{label}", text


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
    wanted = {
        name: _read(expression)
        for name, expression in expressions().items()
        if configuration.alerts.get(name, AlertChoice()).enabled
    }
    for index, family in enumerate(configuration.metrics.exclude):
        place = f"metrics.exclude[{index}]: without {family}"
        if names := [name for name, families in wanted.items() if family in families]:
            yield f"{place} there is no {_some(names)}"
        if titles := [
            f'"{title}"' for title, text in dashboard_queries.queries().items() if family in _read(text)
        ]:
            yield f"{place} there are empty panels on {' and '.join(titles)}"


def _read(queries: str) -> frozenset[str]:
    """Return the families that queries name; a histogram's has three names."""
    return frozenset(_PART.sub("", name) for name in _METRIC.findall(queries))


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST]) + (f" and {len(names) - _MOST} more alerts" if len(names) > _MOST else "")
