"""What holds between keys: defaults that depend on others, and contradictions."""

import os
from collections.abc import Collection, Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from feldera_exporter.config.errors import Place, RefusedError, shown
from feldera_exporter.config.schema import (
    DEFAULT_TAG_LABELS,
    Alertmanager,
    Configuration,
    Filter,
    Instance,
    Limits,
    Override,
    Tls,
)
from feldera_exporter.config.tls import ssl_context
from feldera_exporter.feldera.statuses import DEFAULT_LIMITS
from feldera_exporter.units import format_duration


def completed(section: Any, given: Collection[str]) -> Any:
    """Return a section of the configuration in which the defaults of keys that were not given fit those that were.

    A timeout is at most the time between two requests. Three polls may fail before a state is stale: rules keep their
    result until the third poll is late, and must not lose it before.
    """
    match section:
        case Instance(poll_interval=interval):
            timeout = section.timeout if "timeout" in given else min(section.timeout, interval)
            staleness = section.staleness if "staleness" in given else max(section.staleness, 3 * interval)
            return replace(section, timeout=timeout, staleness=staleness)
        case Alertmanager() if "timeout" not in given:
            return replace(section, timeout=min(section.timeout, section.resend_interval))
        case Limits():
            return replace(section, defaults=MappingProxyType({**DEFAULT_LIMITS, **section.defaults}))
        case Configuration():
            labels = MappingProxyType({**DEFAULT_TAG_LABELS, **section.tag_labels})
            return replace(section, tag_labels=labels)
    return section


def contradictions(value: Any) -> Iterator[RefusedError]:
    """Yield the contradictions between the keys of one section of the configuration."""
    match value:
        case Configuration():
            yield from _configuration(value)
        case Instance():
            yield from _instance(value)
        case Alertmanager():
            yield from _alertmanager(value)
        case Tls():
            yield from _tls(value)
        case Filter() if not value.include:
            yield RefusedError("an empty list", "at least one regular expression", ("include",))
        case Override():
            yield from _override(value)


def _configuration(configuration: Configuration) -> Iterator[RefusedError]:
    if not configuration.instances:
        yield RefusedError("an empty list", "at least one instance", ("instances",))
    names: dict[str, int] = {}
    for index, instance in enumerate(configuration.instances):
        first = names.setdefault(instance.name, index)
        if first != index:
            expected = f"a name that instances[{first}] does not have"
            yield RefusedError(f"{shown(instance.name)} again", expected, ("instances", index, "name"))
    places: list[Place] = [("alert_labels", label) for label in configuration.alert_labels]
    for name, choice in configuration.alerts.items():
        places += [("alerts", name, "labels", label) for label in choice.labels]
    if configuration.alertmanager is not None:
        places += [("alertmanager", "labels", label) for label in configuration.alertmanager.labels]
    # Alerts do not have the tag label `expect`.
    tags = configuration.tag_labels.keys() - {"expect"}
    for place in places:
        if place[-1] in tags:
            yield RefusedError("a label that tags set", "another name", place)


def _instance(instance: Instance) -> Iterator[RefusedError]:
    if instance.api_key is not None and instance.api_key_file is not None:
        yield RefusedError("it beside the API key itself", "one of the two", ("api_key_file",))
    # Names of headers are the same whatever the case of their letters (RFC 9110, section 5.1).
    headers: dict[str, str] = {}
    if instance.api_key is not None or instance.api_key_file is not None:
        headers["authorization"] = "the API key"
    for name in instance.headers:
        before = headers.setdefault(name.lower(), name)
        if before != name:
            yield RefusedError(f"it beside {before}", "one of the two", ("headers", name))
    interval = format_duration(instance.poll_interval)
    if instance.timeout > instance.poll_interval:
        expected = f"at most the poll_interval of {interval}"
        yield RefusedError(format_duration(instance.timeout), expected, ("timeout",))
    if instance.staleness < instance.poll_interval:
        expected = f"at least the poll_interval of {interval}"
        yield RefusedError(format_duration(instance.staleness), expected, ("staleness",))


def _alertmanager(alertmanager: Alertmanager) -> Iterator[RefusedError]:
    if not alertmanager.urls:
        yield RefusedError("an empty list", "at least one address", ("urls",))
    if alertmanager.basic_auth is not None and alertmanager.authorization is not None:
        yield RefusedError("it beside basic_auth", "one of the two", ("authorization",))
    if alertmanager.timeout > alertmanager.resend_interval:
        expected = f"at most the resend_interval of {format_duration(alertmanager.resend_interval)}"
        yield RefusedError(format_duration(alertmanager.timeout), expected, ("timeout",))


def _tls(tls: Tls) -> Iterator[RefusedError]:
    for key, missing in (("cert_file", "key_file"), ("key_file", "cert_file")):
        if getattr(tls, key) is not None and getattr(tls, missing) is None:
            yield RefusedError(f"nothing beside {key}", "both or neither", (missing,))
    for part in (Tls(ca_file=tls.ca_file), Tls(cert_file=tls.cert_file, key_file=tls.key_file)):
        files = [file for file in (part.ca_file, part.cert_file, part.key_file) if file is not None]
        # The content of files that are on another machine is not checked. Reading a pipe would wait for its writer.
        if files and all(file.is_file() and os.access(file, os.R_OK) for file in files):
            try:
                ssl_context(part)
            except RefusedError as error:
                yield RefusedError("another content", error.expected, error.place)


def _override(override: Override) -> Iterator[RefusedError]:
    if override.name is None and override.tag is None:
        yield RefusedError("neither name nor tag", "at least one of the two")
    if not override.limits:
        yield RefusedError("an empty mapping", "at least one limit", ("limits",))
