"""What a user may set about the rules, as the configuration's `alerts:` and `tag_labels:` keys say it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from feldera_exporter.config.labels import RESERVED
from feldera_exporter.errors import ConfigError
from feldera_exporter.rules.model import SEVERITIES, Alert
from feldera_exporter.rules.promql import BASE_TAGS
from feldera_exporter.rules.table import NAMES

WAYS: Final = ("rules", "bridge")
"""How an alert reaches Alertmanager: by Prometheus's rules or from the exporter itself, never both."""

_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class Choice:
    """What is set about one alert.

    Attributes:
        enabled: whether it exists at all.
        severity: one of `SEVERITIES`, instead of the table's; empty to leave it.
        via: one of `WAYS`.
        labels: further labels for Alertmanager's routes.
    """

    enabled: bool = True
    severity: str = ""
    via: str = "rules"
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """What is set about the rules.

    Attributes:
        alerts: the choices by the alert's name.
        tag_labels: the tag labels of pipelines beyond `team`, `tier` and `expect`.

    Raises:
        ConfigError: if a name, severity, way or label cannot be; with every mistake in it.
    """

    alerts: Mapping[str, Choice] = field(default_factory=dict)
    tag_labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if found := tuple(self._mistakes()):
            raise ConfigError(*found)

    def of(self, alert: Alert) -> Choice:
        """Return what is set about an alert, the defaults where nothing is."""
        return self.alerts.get(alert.name, Choice())

    @property
    def tags(self) -> tuple[str, ...]:
        """The tag labels that every pipeline's alert carries."""
        return BASE_TAGS + tuple(tag for tag in self.tag_labels if tag not in {*BASE_TAGS, "expect"})

    def _mistakes(self) -> Iterator[str]:
        for name, choice in self.alerts.items():
            place = f"alerts.{name}"
            if name not in NAMES:
                yield f"{place}: there is no such alert, expected one of those that `feldera-exporter rules` prints"
            if choice.severity not in {"", *SEVERITIES}:
                yield f"{place}.severity: found {choice.severity!r}, expected one of {', '.join(SEVERITIES)}"
            if choice.via not in WAYS:
                yield f"{place}.via: found {choice.via!r}, expected one of {', '.join(WAYS)}"
            for label in choice.labels:
                yield from _unfit(f"{place}.labels.{label}", label, RESERVED | {*self.tags})
        for tag in self.tag_labels:
            yield from _unfit(f"tag_labels.{tag}", tag, RESERVED)


def _unfit(place: str, label: str, taken: frozenset[str]) -> Iterator[str]:
    if not _LABEL.fullmatch(label) or label.startswith("__"):
        yield f"{place}: found {label!r}, expected a label's name (letters, digits, _, not beginning with a digit or __)"
    elif label in taken:
        yield f"{place}: {label!r} is a label that the rules set themselves, expected another name"
