"""Warnings about settings that are valid but probably not intended."""

import ipaddress
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from feldera_exporter.config import AlertChoice, Configuration, Instance, Secret, Tls
from feldera_exporter.config.errors import nearest
from feldera_exporter.config.errors import path as path_text
from feldera_exporter.config.secret_files import key_in
from feldera_exporter.config.values_with_places import leaves
from feldera_exporter.feldera.statuses import DIMENSIONS, Difference
from feldera_exporter.rules.alert_names import NAMES
from feldera_exporter.rules.exporter_alerts import EXPORTER_ALERTS
from feldera_exporter.rules.rendering import expressions
from feldera_exporter.shipped import shipped

KNOWN: Final = frozenset(chain.from_iterable(dimension.statuses for dimension in DIMENSIONS)) | {*Difference}
"""Every status and difference that this version knows and that can have a limit."""

DASHBOARDS: Final = ("exporter", "fleet", "pipeline")
_QUERIES: Final = frozenset({"expr", "query", "definition"})
_METRIC: Final = re.compile(r"feldera[a-z0-9_:]*")
_SUFFIX: Final = re.compile(r"_(?:bucket|sum|count)$")
_VARIABLE: Final = re.compile(r"\$\{\w+\}|\$\(\w+\)")
_LITERAL: Final = "${…} stays as it is written: variables of the environment are not replaced"
_MAX_NAMED: Final = 3
"""The number of alerts that one warning names."""


def advice(configuration: Configuration) -> Iterator[str]:
    """Yield the warnings, one line each, beginning with the key's path in the configuration."""
    for place, value in leaves(configuration):
        text = value.reveal() if isinstance(value, Secret) else value
        if isinstance(text, str) and _VARIABLE.search(text):
            yield f"{path_text(place)}: {_LITERAL}"
    for index, instance in enumerate(configuration.instances):
        yield from (f"instances[{index}].{line}" for line in _trust(instance))
    yield from _excluded(configuration)
    yield from _limits("limits.defaults", configuration.limits.defaults)
    for index, override in enumerate(configuration.limits.overrides):
        yield from _limits(f"limits.overrides[{index}].limits", override.limits)


def _trust(instance: Instance) -> Iterator[str]:
    parts = urlsplit(instance.url)
    path = instance.api_key_file
    if path is not None and os.access(path, os.R_OK):
        key, reason = key_in(path)
        if key is None:
            yield f"api_key_file: there is no API key in {path}: {reason}"
    if parts.scheme == "http":
        if instance.tls != Tls():
            yield "tls: it has no effect, since the url is not https"
        if (path is not None or instance.api_key is not None) and not _is_loopback(parts.hostname or ""):
            yield "url: the API key is sent unencrypted over the network, since the url is not https"
    elif instance.tls.insecure_skip_verify:
        yield "tls.insecure_skip_verify: the server is not verified, so any server can get the API key"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".") == "localhost" or host.rstrip(".").endswith(".localhost")


def _limits(place: str, limits: Mapping[str, float]) -> Iterator[str]:
    for status in limits:
        if status not in KNOWN:
            guess = nearest(status, KNOWN)
            hint = f"; did you mean {guess}?" if guess else ""
            yield f"{place}.{status}: this version knows no such status of Feldera{hint}"


def _excluded(configuration: Configuration) -> Iterator[str]:
    # With Alertmanagers, the exporter sends the alerts of problems itself, whatever it exports.
    evaluated = EXPORTER_ALERTS if configuration.alertmanager is not None else NAMES
    wanted = {
        name: _families(expression)
        for name, expression in expressions().items()
        if name in evaluated and configuration.alerts.get(name, AlertChoice()).enabled
    }
    boards = {f'"{title}"': _families(text) for title, text in dashboard_queries().items()}
    for index, family in enumerate(configuration.metrics.exclude):
        place = f"metrics.exclude[{index}]: without {family}"
        if names := [name for name, families in wanted.items() if family in families]:
            yield f"{place} there is no {_first(names)}"
        if titles := [title for title, families in boards.items() if family in families]:
            yield f"{place} there are empty panels on {' and '.join(titles)}"


def dashboard_queries() -> Mapping[str, str]:
    """Return the queries of all panels and variables of each dashboard as one text, by the dashboard's title."""
    boards = (
        json.loads(shipped(f"config/grafana/dashboards/{name}.json").read_bytes()) for name in DASHBOARDS
    )
    return MappingProxyType({board["title"]: "\n".join(_queries(board)) for board in boards})


def _queries(tree: Any) -> Iterator[str]:
    match tree:
        case dict():
            for key, value in tree.items():
                if key in _QUERIES and isinstance(value, str):
                    yield value
                else:
                    yield from _queries(value)
        case list():
            for item in tree:
                yield from _queries(item)


def _families(queries: str) -> frozenset[str]:
    """Return the families that queries read; a histogram counts under its name without the suffix."""
    return frozenset(_SUFFIX.sub("", name) for name in _METRIC.findall(queries))


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:_MAX_NAMED]) + (
        f" and {len(names) - _MAX_NAMED} more alerts" if len(names) > _MAX_NAMED else ""
    )
