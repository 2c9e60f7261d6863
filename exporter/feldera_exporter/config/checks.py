"""What must hold between keys, beyond the type of each."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from feldera_exporter.config.mistakes import Mistake, RefusedError, nearest, shown
from feldera_exporter.config.trust import UnusableCertificateError, ssl_context
from feldera_exporter.config.units import format_duration
from feldera_exporter.config.values import Configuration, Filter, Instance, Override, Tls


def complete(instance: Instance, given: Collection[str]) -> Instance:
    """Return an instance whose timeout, where it was not given, follows a shorter poll interval."""
    if "timeout" in given or instance.timeout <= instance.poll_interval:
        return instance
    return replace(instance, timeout=instance.poll_interval)


def instance_mistakes(instance: Instance) -> Iterator[RefusedError]:
    """Yield what contradicts itself in one instance."""
    interval = format_duration(instance.poll_interval)
    if instance.api_key is not None and instance.api_key_file is not None:
        yield RefusedError("it beside api_key", "one of the two", ("api_key_file",))
    if instance.timeout > instance.poll_interval:
        yield RefusedError(
            format_duration(instance.timeout), f"at most the poll_interval of {interval}", ("timeout",)
        )
    if instance.staleness < instance.poll_interval:
        yield RefusedError(
            format_duration(instance.staleness), f"at least the poll_interval of {interval}", ("staleness",)
        )


def configuration_mistakes(configuration: Configuration) -> Iterator[RefusedError]:
    """Yield a configuration that watches nothing."""
    if not configuration.instances:
        yield RefusedError("an empty list", "at least one instance", ("instances",))


def tls_mistakes(tls: Tls) -> Iterator[RefusedError]:
    """Yield half a client certificate, or files that hold no certificate or key."""
    for one, other in (("cert_file", "key_file"), ("key_file", "cert_file")):
        if getattr(tls, one) is not None and getattr(tls, other) is None:
            yield RefusedError(f"nothing beside {one}", "both or neither", (other,))
            return
    if tls.ca_file is None and tls.cert_file is None:
        return
    try:
        ssl_context(tls)
    except UnusableCertificateError as error:
        yield RefusedError("another content", error.expected, (error.key,))


def filter_mistakes(pipelines: Filter) -> Iterator[RefusedError]:
    """Yield a filter that nothing passes."""
    if not pipelines.include:
        yield RefusedError("an empty list", "at least one regular expression", ("include",))


def override_mistakes(override: Override) -> Iterator[RefusedError]:
    """Yield an override that matches nothing in particular or changes nothing."""
    if override.name is None and override.tag is None:
        yield RefusedError("neither name nor tag", "at least one of the two")
    if not override.limits:
        yield RefusedError("an empty mapping", "at least one limit", ("limits",))


def family_mistakes(exclude: Collection[str], families: Collection[str]) -> Iterator[RefusedError]:
    """Yield every excluded family that the exporter does not have."""
    for index, name in enumerate(exclude):
        if name not in families:
            guess = nearest(name, families)
            expected = f"a metric family such as {guess}" if guess else "a metric family of the exporter"
            yield RefusedError(shown(name), expected, ("exclude", index))


def alert_mistakes(chosen: Collection[str], alerts: Collection[str]) -> Iterator[RefusedError]:
    """Yield every alert that the rules do not have."""
    for name in chosen:
        if name not in alerts:
            guess = nearest(name, alerts)
            expected = f"one such as {guess}" if guess else "one that `feldera-exporter rules` prints"
            yield RefusedError("no alert of this name", expected, ("alerts", name))


def name_mistakes(tree: Any) -> Iterator[Mistake]:
    """Yield instances that are named as an earlier one; asks the plain document, so a wrong key elsewhere hides none."""
    entries = tree.get("instances") if isinstance(tree, dict) else None
    first: dict[str, int] = {}
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str):
            continue
        if name in first:
            found = f"found {shown(name)} again, expected a name that instances[{first[name]}] does not have"
            yield Mistake(("instances", index, "name"), found)
        first.setdefault(name, index)
