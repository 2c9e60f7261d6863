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
AlertLabel = Annotated[str, validators.alert_label]
ExternalLabel = Annotated[str, validators.external_label]
Family = Annotated[str, validators.family]
Username = Annotated[str, validators.username]
ApiKey = Annotated[Secret, validators.secret]
HeaderName = Annotated[str, validators.header_name]
HeaderValue = Annotated[Secret, validators.header_value]
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
"""The labels that are always there, in their order."""


@dataclass(frozen=True, slots=True)
class Tls:
    """How a server is trusted and how the exporter shows who it is.

    Attributes:
        ca_file: certificates (PEM) to trust in place of the system's.
        cert_file: the exporter's own certificate (PEM); together with `key_file`.
        key_file: its key, without a passphrase.
        insecure_skip_verify: whether any certificate is accepted.
    """

    ca_file: File | None = None
    cert_file: File | None = None
    key_file: File | None = None
    insecure_skip_verify: Flag = False


@dataclass(frozen=True, slots=True)
class Filter:
    """Which pipelines are watched, by name; the expressions hold for the whole name.

    Attributes:
        include: names of the pipelines to watch.
        exclude: of those, the names not to watch.
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
        api_key: the API key; a role that may read is enough.
        api_key_file: in place of `api_key`: the file that holds it, read again when it changes.
        headers: sent with every request, for a proxy that wants a token; their values are secrets.
        tls: certificates.
        poll_interval: time from the start of one poll to the start of the next, in seconds.
        timeout: time that one request may take, in seconds; at most `poll_interval`.
        staleness: time for which the last state is shown while Feldera does not answer, in seconds.
        max_response_size: the largest answer that is read, in bytes; of the list each pipeline counts 1 KiB at most.
        pipelines: which pipelines are watched.
    """

    name: Name
    url: Url
    api_key: ApiKey | None = None
    api_key_file: File | None = None
    headers: Mapping[HeaderName, HeaderValue] = field(default_factory=lambda: MappingProxyType({}))
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
        limits: how long each status may last for these pipelines; `none` for no limit.
        name: the name of the pipelines; with `tag`, both must match.
        tag: one of the tags of the pipelines.
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
class TagLabels:
    """The labels that pipelines' tags set: `DEFAULT_TAG_LABELS` first.

    Attributes:
        expressions: by label, an expression over the tags whose group is the label's value.
    """

    expressions: Mapping[Label, TagExpression] = field(default_factory=lambda: DEFAULT_TAG_LABELS)


@dataclass(frozen=True, slots=True)
class Metrics:
    """Which metric families are exported.

    Attributes:
        exclude: metric families to leave out, by their full names.
    """

    exclude: tuple[Family, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertChoice:
    """What is chosen for one alert of the shipped rules.

    Attributes:
        enabled: whether there is this alert at all.
        severity: in place of the alert's own.
        labels: further labels, for Alertmanager's routes.
    """

    enabled: Flag = True
    severity: Severity = ""
    labels: Mapping[Label, Text] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """Who the exporter is, by a password.

    Attributes:
        username: the user's name.
        password_file: the file that holds the password, read again for each request.
    """

    username: Username
    password_file: File


@dataclass(frozen=True, slots=True)
class Authorization:
    """Who the exporter is, by a bearer token.

    Attributes:
        credentials_file: the file that holds the token, read again for each request.
    """

    credentials_file: File


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """Where the exporter sends its problems itself.

    Attributes:
        urls: addresses of Alertmanagers; each address that a name resolves to is one Alertmanager.
        labels: labels that are added to every alert, as Prometheus's `external_labels`.
        timeout: time that one request may take, in seconds; at most `resend_interval`.
        resend_interval: time after which the same alerts are sent again, in seconds.
        basic_auth: who the exporter is, by a password; at most one of this and `authorization`.
        authorization: who the exporter is, by a token.
        tls: certificates.
    """

    urls: tuple[AlertmanagerUrl, ...]
    labels: Mapping[ExternalLabel, Text] = field(default_factory=lambda: MappingProxyType({}))
    timeout: IntervalSeconds = 10.0
    resend_interval: IntervalSeconds = _MINUTE
    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None
    tls: Tls = Tls()


@dataclass(frozen=True, slots=True)
class Configuration:
    """The whole configuration; two that say the same are equal.

    Attributes:
        instances: the instances that are watched.
        limits: how long each status may last.
        tag_labels: by label, an expression over the tags whose group is the label's value.
        metrics: which metric families are exported.
        alerts: what is chosen for single alerts, by their names.
        alert_labels: labels of every alert, where a single one does not set them itself.
        severities: other words for `critical`, `warning` and `info` in the label `severity`.
        alertmanager: where the exporter sends its problems itself; without it Prometheus alerts by the shipped rules.
    """

    instances: tuple[Instance, ...]
    limits: Limits = field(default_factory=Limits)
    tag_labels: TagLabels = field(default_factory=TagLabels)
    metrics: Metrics = Metrics()
    alerts: Mapping[Alert, AlertChoice] = field(default_factory=lambda: MappingProxyType({}))
    alert_labels: Mapping[AlertLabel, Text] = field(default_factory=lambda: MappingProxyType({}))
    severities: Mapping[ShippedSeverity, NonEmptyText] = field(default_factory=lambda: MappingProxyType({}))
    alertmanager: Alertmanager | None = None
