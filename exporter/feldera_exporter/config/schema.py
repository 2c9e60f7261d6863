"""The configuration as frozen values: every key, its type and its default."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final

from feldera_exporter.config import validators
from feldera_exporter.config.secret import Secret
from feldera_exporter.feldera.statuses import DEFAULT_LIMITS

Seconds = Annotated[float, validators.duration]
IntervalSeconds = Annotated[float, validators.interval]
LimitSeconds = Annotated[float, validators.limit]
Bytes = Annotated[int, validators.size]
Flag = Annotated[bool, validators.flag]
Name = Annotated[str, validators.name]
Url = Annotated[str, validators.url]
AlertmanagerUrl = Annotated[str, validators.alertmanager_url]
Status = Annotated[str, validators.status]
Label = Annotated[str, validators.label]
Family = Annotated[str, validators.family]
Username = Annotated[str, validators.username]
SecretText = Annotated[Secret, validators.secret]
HeaderName = Annotated[str, validators.header_name]
File = Annotated[Path, validators.file]
Expression = Annotated[re.Pattern[str], validators.expression]
Alert = Annotated[str, validators.alert]
Severity = Annotated[str, validators.severity]
ShippedSeverity = Annotated[str, validators.shipped_severity]
NonEmptyText = Annotated[str, validators.non_empty_text]
Text = Annotated[str, validators.text]
TagExpression = Annotated[re.Pattern[str], validators.tag_expression]

StatusLimits = Mapping[Status, LimitSeconds]

_MINUTE: Final = 60.0

DEFAULT_TAG_LABELS: Final[Mapping[Label, TagExpression]] = MappingProxyType(
    {
        "team": validators.tag_expression("team[:=](.+)"),
        "tier": validators.tag_expression("tier[:=](.+)"),
        "expect": validators.tag_expression("expect[:=](running)"),
    }
)
"""The labels that always exist, in their order."""


@dataclass(frozen=True, slots=True)
class Tls:
    """How the server's certificate is verified, and the exporter's own certificate.

    Attributes:
        ca_file: certificates (PEM) of authorities to trust instead of the system's.
        cert_file: the exporter's client certificate (PEM); only together with `key_file`.
        key_file: its key, without a passphrase.
        insecure_skip_verify: whether any certificate is accepted.
    """

    ca_file: File | None = None
    cert_file: File | None = None
    key_file: File | None = None
    insecure_skip_verify: Flag = False


@dataclass(frozen=True, slots=True)
class Filter:
    """Which pipelines are watched, by name; an expression must match the whole name.

    Attributes:
        include: names of the pipelines to watch.
        exclude: names of pipelines that are not watched although `include` matches.
    """

    include: tuple[Expression, ...] = (validators.expression(".*"),)
    exclude: tuple[Expression, ...] = ()

    def selects(self, name: str) -> bool:
        """Return whether some `include` and no `exclude` matches the whole name."""
        return any(each.fullmatch(name) for each in self.include) and not any(
            each.fullmatch(name) for each in self.exclude
        )


@dataclass(frozen=True, slots=True)
class Instance:
    """One Feldera instance, or one tenant of it.

    Attributes:
        name: the value of the label `feldera_instance`; unique.
        url: Feldera's address, without `/v0` and without credentials.
        api_key: the API key; the role `read` is enough.
        api_key_file: a file with the API key, instead of `api_key`; read again when it changes.
        headers: headers of every request, for example a token for a proxy; the values are secrets.
        tls: how the connection is secured.
        poll_interval: time between the starts of two polls, in seconds.
        timeout: how long a request may take, in seconds; at most `poll_interval`.
        staleness: how long the last state is shown while Feldera does not answer, in seconds.
        max_response_size: the largest response that is read, in bytes; each listed pipeline counts at most 1 KiB.
        pipelines: which pipelines are watched.
    """

    name: Name
    url: Url
    api_key: SecretText | None = None
    api_key_file: File | None = None
    headers: Mapping[HeaderName, SecretText] = field(default_factory=lambda: MappingProxyType({}))
    tls: Tls = Tls()
    poll_interval: IntervalSeconds = 5.0
    timeout: IntervalSeconds = 5.0
    staleness: Seconds = 5 * _MINUTE
    max_response_size: Bytes = 64 * 2**20
    pipelines: Filter = Filter()


@dataclass(frozen=True, slots=True)
class Override:
    """Limits for the pipelines whose name and one of whose tags match; at least one of the two is given.

    Attributes:
        limits: limits of statuses for these pipelines; `none` for no limit.
        name: an expression that the pipeline's name must match.
        tag: an expression that one of the pipeline's tags must match.
    """

    limits: StatusLimits
    name: Expression | None = None
    tag: Expression | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How long each status may last, in seconds, infinity for no limit.

    Attributes:
        defaults: how long each status may last before it counts as stuck; any status may be named; `none` for no limit.
        overrides: other limits for some pipelines; the first that matches wins, per status.
    """

    defaults: StatusLimits = field(default_factory=lambda: DEFAULT_LIMITS)
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True)
class Metrics:
    """Which metric families are exported.

    Attributes:
        exclude: metric families to leave out, by their full names.
    """

    exclude: tuple[Family, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertChoice:
    """The settings of one alert.

    Attributes:
        enabled: whether the alert exists.
        severity: the severity, instead of the shipped one.
        labels: further labels, for Alertmanager's routes.
    """

    enabled: Flag = True
    severity: Severity = ""
    labels: Mapping[Label, Text] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """The exporter's user name and password.

    Attributes:
        username: the user's name.
        password_file: a file with the password, read again for each request.
    """

    username: Username
    password_file: File


@dataclass(frozen=True, slots=True)
class Authorization:
    """The exporter's bearer token.

    Attributes:
        credentials_file: a file with the token, read again for each request.
    """

    credentials_file: File


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """The Alertmanagers that the exporter sends its problems to.

    Attributes:
        urls: addresses of Alertmanagers; each address that a name resolves to is one Alertmanager.
        labels: labels that are added to every alert, as Prometheus's `external_labels`.
        timeout: how long a request may take, in seconds; at most `resend_interval`.
        resend_interval: time between two sends of an unchanged alert, in seconds.
        basic_auth: user name and password; not together with `authorization`.
        authorization: bearer token.
        tls: how the connection is secured.
    """

    urls: tuple[AlertmanagerUrl, ...]
    labels: Mapping[Label, Text] = field(default_factory=lambda: MappingProxyType({}))
    timeout: IntervalSeconds = 10.0
    resend_interval: IntervalSeconds = _MINUTE
    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None
    tls: Tls = Tls()


@dataclass(frozen=True, slots=True)
class Configuration:
    """The whole configuration.

    Attributes:
        instances: the instances that are watched.
        limits: how long each status may last.
        tag_labels: by label, an expression over the tags whose group is the label's value.
        metrics: which metric families are exported.
        alerts: settings of alerts, by name.
        alert_labels: labels of every alert; the labels of a single alert override them.
        severities: other values of the label `severity` for `critical`, `warning` and `info`.
        alertmanager: where the exporter sends its problems; without this section, Prometheus alerts with the shipped rules.
    """

    instances: tuple[Instance, ...]
    limits: Limits = field(default_factory=Limits)
    tag_labels: Mapping[Label, TagExpression] = field(default_factory=lambda: DEFAULT_TAG_LABELS)
    metrics: Metrics = Metrics()
    alerts: Mapping[Alert, AlertChoice] = field(default_factory=lambda: MappingProxyType({}))
    alert_labels: Mapping[Label, Text] = field(default_factory=lambda: MappingProxyType({}))
    severities: Mapping[ShippedSeverity, NonEmptyText] = field(default_factory=lambda: MappingProxyType({}))
    alertmanager: Alertmanager | None = None
