"""What must hold between keys, beyond the type of each."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from feldera_exporter.config import validators
from feldera_exporter.config.errors import Mistake, Place, RefusedError, nearest, shown
from feldera_exporter.config.schema import Alertmanager, Configuration, Filter, Instance, Override, Tls
from feldera_exporter.config.tls import UnusableCertificateError, ssl_context
from feldera_exporter.config.units import format_duration

_OWN: Final = re.compile(r"feldera_exporter_|process_|python_")


@dataclass(frozen=True, slots=True)
class Environment:
    """What a document depends on beyond itself.

    Attributes:
        folder: where relative paths start.
        families: the names of all metric families.
        alerts: the names of all alerts.
    """

    folder: Path
    families: Collection[str]
    alerts: Collection[str]


def complete(instance: Instance, given: Collection[str]) -> Instance:
    """Return an instance in which what was not given follows the poll interval.

    The timeout is no longer than it. Three polls may fail before a state is stale: rules hold on to what they know until the
    third one is late, and must not lose it before.
    """
    interval = instance.poll_interval
    timeout = instance.timeout if "timeout" in given else min(instance.timeout, interval)
    staleness = instance.staleness if "staleness" in given else max(instance.staleness, 3 * interval)
    return replace(instance, timeout=timeout, staleness=staleness)


def complete_alertmanager(alertmanager: Alertmanager, given: Collection[str]) -> Alertmanager:
    """Return an Alertmanager whose timeout, where it was not given, is no longer than the resend interval."""
    if "timeout" in given:
        return alertmanager
    return replace(alertmanager, timeout=min(alertmanager.timeout, alertmanager.resend_interval))


def contradictions(value: Any, wrong: Collection[str]) -> Iterator[RefusedError]:
    """Yield what contradicts itself in one value of the configuration.

    Args:
        value: the value.
        wrong: its keys that could not be read, of which nothing can be said.
    """
    for rule in _RULES:
        if isinstance(value, rule.kind) and not rule.keys & set(wrong):
            yield from rule.mistakes(value)


def _two_keys(instance: Instance) -> Iterator[RefusedError]:
    if instance.api_key is not None and instance.api_key_file is not None:
        yield RefusedError("it beside api_key", "one of the two", ("api_key_file",))


def _two_headers(instance: Instance) -> Iterator[RefusedError]:
    """Find names that are the same, whatever the case of their letters (RFC 9110, section 5.1)."""
    first: dict[str, str] = {}
    if instance.api_key is not None or instance.api_key_file is not None:
        first["authorization"] = "the API key"
    for name in instance.headers:
        before = first.setdefault(name.lower(), name)
        if before != name:
            yield RefusedError(f"it beside {before}", "one of the two", ("headers", name))


def _slow_answers(instance: Instance) -> Iterator[RefusedError]:
    if instance.timeout > instance.poll_interval:
        expected = f"at most the poll_interval of {format_duration(instance.poll_interval)}"
        yield RefusedError(format_duration(instance.timeout), expected, ("timeout",))


def _stale_at_once(instance: Instance) -> Iterator[RefusedError]:
    if instance.staleness < instance.poll_interval:
        expected = f"at least the poll_interval of {format_duration(instance.poll_interval)}"
        yield RefusedError(format_duration(instance.staleness), expected, ("staleness",))


def _nothing_to_watch(configuration: Configuration) -> Iterator[RefusedError]:
    if not configuration.instances:
        yield RefusedError("an empty list", "at least one instance", ("instances",))


def _half_a_certificate(tls: Tls) -> Iterator[RefusedError]:
    for one, other in (("cert_file", "key_file"), ("key_file", "cert_file")):
        if getattr(tls, one) is not None and getattr(tls, other) is None:
            yield RefusedError(f"nothing beside {one}", "both or neither", (other,))


def _no_authorities(tls: Tls) -> Iterator[RefusedError]:
    if tls.ca_file is not None:
        yield from _unusable(Tls(ca_file=tls.ca_file))


def _no_certificate(tls: Tls) -> Iterator[RefusedError]:
    if tls.cert_file is not None and tls.key_file is not None:
        yield from _unusable(Tls(cert_file=tls.cert_file, key_file=tls.key_file))


def _unusable(tls: Tls) -> Iterator[RefusedError]:
    try:
        ssl_context(tls)
    except UnusableCertificateError as error:
        yield RefusedError("another content", error.expected, (error.key,))


def _nothing_passes(pipelines: Filter) -> Iterator[RefusedError]:
    if not pipelines.include:
        yield RefusedError("an empty list", "at least one regular expression", ("include",))


def _matches_nothing(override: Override) -> Iterator[RefusedError]:
    if override.name is None and override.tag is None:
        yield RefusedError("neither name nor tag", "at least one of the two")


def _changes_nothing(override: Override) -> Iterator[RefusedError]:
    if not override.limits:
        yield RefusedError("an empty mapping", "at least one limit", ("limits",))


def _tags_own(configuration: Configuration) -> Iterator[RefusedError]:
    # Where a pipeline is expected to run, alerts do not say.
    tags = set(configuration.tag_labels.expressions) - {"expect"}
    places: list[Place] = [("alert_labels", label) for label in configuration.alert_labels]
    for name, choice in configuration.alerts.items():
        places += [("alerts", name, "labels", label) for label in choice.labels]
    for place in places:
        if place[-1] in tags:
            yield RefusedError("a label that tags set", "another name", place)


def _tags_external(configuration: Configuration) -> Iterator[RefusedError]:
    external = configuration.alertmanager.labels if configuration.alertmanager is not None else ()
    for label in external:
        if label in configuration.tag_labels.expressions and label != "expect":
            yield RefusedError("a label that tags set", "another name", ("alertmanager", "labels", label))


def _nobody_to_tell(alertmanager: Alertmanager) -> Iterator[RefusedError]:
    if not alertmanager.urls:
        yield RefusedError("an empty list", "at least one address", ("urls",))


def _two_identities(alertmanager: Alertmanager) -> Iterator[RefusedError]:
    if alertmanager.basic_auth is not None and alertmanager.authorization is not None:
        yield RefusedError("it beside basic_auth", "one of the two", ("authorization",))


def _slow_alertmanager(alertmanager: Alertmanager) -> Iterator[RefusedError]:
    if alertmanager.timeout > alertmanager.resend_interval:
        expected = f"at most the resend_interval of {format_duration(alertmanager.resend_interval)}"
        yield RefusedError(format_duration(alertmanager.timeout), expected, ("timeout",))


class _Rule(NamedTuple):
    """What must hold in values of a kind, and the keys that it is about."""

    kind: type
    keys: frozenset[str]
    mistakes: Callable[[Any], Iterator[RefusedError]]


_RULES: Final = (
    _Rule(Instance, frozenset({"api_key", "api_key_file"}), _two_keys),
    _Rule(Instance, frozenset({"api_key", "api_key_file", "headers"}), _two_headers),
    _Rule(Instance, frozenset({"timeout", "poll_interval"}), _slow_answers),
    _Rule(Instance, frozenset({"staleness", "poll_interval"}), _stale_at_once),
    _Rule(Tls, frozenset({"cert_file", "key_file"}), _half_a_certificate),
    _Rule(Tls, frozenset({"ca_file"}), _no_authorities),
    _Rule(Tls, frozenset({"cert_file", "key_file"}), _no_certificate),
    _Rule(Filter, frozenset({"include"}), _nothing_passes),
    _Rule(Override, frozenset({"name", "tag"}), _matches_nothing),
    _Rule(Override, frozenset({"limits"}), _changes_nothing),
    _Rule(Configuration, frozenset({"instances"}), _nothing_to_watch),
    _Rule(Configuration, frozenset({"alerts", "alert_labels", "tag_labels"}), _tags_own),
    _Rule(Configuration, frozenset({"alertmanager", "tag_labels"}), _tags_external),
    _Rule(Alertmanager, frozenset({"urls"}), _nobody_to_tell),
    _Rule(Alertmanager, frozenset({"basic_auth", "authorization"}), _two_identities),
    _Rule(Alertmanager, frozenset({"timeout", "resend_interval"}), _slow_alertmanager),
)


def name_mistakes(tree: Any, surroundings: Environment) -> Iterator[Mistake]:
    """Yield names that mean nothing, or two things; asks the plain document, so a wrong value beside one hides none."""
    document = tree if isinstance(tree, dict) else {}
    yield from _repeated_instances(_entries(document.get("instances")))
    metrics = document.get("metrics")
    exclude = metrics.get("exclude") if isinstance(metrics, dict) else None
    for index, family in enumerate(_entries(exclude)):
        if _reads(validators.family, family) and family not in surroundings.families:
            yield _unknown_family(index, family, surroundings.families)
    alerts = document.get("alerts")
    for name in alerts if isinstance(alerts, dict) else ():
        if _reads(validators.alert, name) and name not in surroundings.alerts:
            guess = nearest(name, surroundings.alerts)
            expected = f"one such as {guess}" if guess else "one that `feldera-exporter rules` prints"
            yield Mistake(("alerts", name), f"found no alert of this name, expected {expected}")


def _entries(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _reads(reader: Callable[[object], object], value: object) -> bool:
    """Return whether a value is of the right kind; where it is not, its reader says so."""
    try:
        reader(value)
    except RefusedError:
        return False
    return True


def _repeated_instances(entries: list[Any]) -> Iterator[Mistake]:
    first: dict[str, int] = {}
    for index, entry in enumerate(entries):
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str):
            continue
        if name in first:
            found = f"found {shown(name)} again, expected a name that instances[{first[name]}] does not have"
            yield Mistake(("instances", index, "name"), found)
        first.setdefault(name, index)


def _unknown_family(index: int, name: str, families: Collection[str]) -> Mistake:
    if _OWN.match(name):
        expected = "a family that can be left out: this one always stays"
    else:
        guess = nearest(name, families)
        expected = f"a metric family such as {guess}" if guess else "a metric family of the exporter"
    return Mistake(("metrics", "exclude", index), f"found {shown(name)}, expected {expected}")
