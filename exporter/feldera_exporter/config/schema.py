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
PaceSeconds = Annotated[float, validators.pace]
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
TableSeverity = Annotated[str, validators.table_severity]
Word = Annotated[str, validators.word]
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
    """Which pipelines are watched, by name; the expressions hold for the whole name."""

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
        name: the value of the label `feldera_instance`, unique.
        url: its address, http or https, without a slash at its end.
        api_key: the key itself; None where there is none or `api_key_file` names it.
        api_key_file: the file that holds the key, to be read again when it changes.
        headers: sent with every request, for a proxy that wants a token; their values are secrets.
        tls: the trust between the two.
        poll_interval: seconds from the start of one poll to the start of the next.
        timeout: seconds that one request may take, at most `poll_interval`.
        staleness: seconds for which the last state is shown while Feldera does not answer.
        max_response_size: bytes of one answer, decompressed, beyond which it is refused; of the list each pipeline
            counts a kibibyte at most.
        pipelines: which pipelines are watched.
    """

    name: Name
    url: Url
    api_key: ApiKey | None = None
    api_key_file: File | None = None
    headers: Mapping[HeaderName, HeaderValue] = field(default_factory=lambda: MappingProxyType({}))
    tls: Tls = Tls()
    poll_interval: PaceSeconds = 5.0
    timeout: PaceSeconds = 5.0
    staleness: Seconds = 5 * _MINUTE
    max_response_size: Bytes = 64 * 2**20
    pipelines: Filter = Filter()


@dataclass(frozen=True, slots=True)
class Override:
    """Limits for the pipelines whose name and one of whose tags match; at least one of the two is given."""

    limits: StatusLimits
    name: Expression | None = None
    tag: Expression | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How long each status may last, in seconds, infinity for no limit; the first override wins, per status."""

    defaults: StatusLimits = field(default_factory=lambda: DEFAULT_LIMITS)
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True)
class TagLabels:
    """The labels that pipelines' tags set: label to expression with one group, `DEFAULT_TAG_LABELS` first."""

    expressions: Mapping[Label, TagExpression] = field(default_factory=lambda: DEFAULT_TAG_LABELS)


@dataclass(frozen=True, slots=True)
class Metrics:
    """Which metric families are left out, by their full names."""

    exclude: tuple[Family, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertChoice:
    """What is chosen for one alert of the shipped rules.

    Attributes:
        enabled: whether it is printed at all.
        severity: instead of the table's; empty to leave that.
        labels: further labels, for Alertmanager's routes.
    """

    enabled: Flag = True
    severity: Severity = ""
    labels: Mapping[Label, Text] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """A user's name and the file that holds the password, read again for each request."""

    username: Username
    password_file: File


@dataclass(frozen=True, slots=True)
class Authorization:
    """The file that holds a bearer token, read again for each request."""

    credentials_file: File


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """To whom the exporter sends its problems itself.

    Attributes:
        urls: their addresses; each address that a name resolves to is an Alertmanager of its own.
        labels: added to every alert, as Prometheus's `external_labels`.
        timeout: seconds that one request may take, at most `resend_interval`.
        resend_interval: seconds after which the same alerts are sent again.
        basic_auth: who the exporter is, by a password; at most one of this and `authorization`.
        authorization: who the exporter is, by a token.
        tls: the trust between the two.
    """

    urls: tuple[AlertmanagerUrl, ...]
    labels: Mapping[ExternalLabel, Text] = field(default_factory=lambda: MappingProxyType({}))
    timeout: PaceSeconds = 10.0
    resend_interval: PaceSeconds = _MINUTE
    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None
    tls: Tls = Tls()


@dataclass(frozen=True, slots=True)
class Configuration:
    """The whole configuration; two that say the same are equal.

    Attributes:
        instances: what is watched.
        limits: how long statuses may last.
        tag_labels: the labels that pipelines' tags set.
        metrics: which families are left out.
        alerts: what is chosen for single alerts.
        alert_labels: labels of every alert, where a single one does not set them itself.
        severities: what the label `severity` says in place of `critical`, `warning` and `info`.
        alertmanager: to whom the exporter sends its problems itself; None to leave that to Prometheus.
    """

    instances: tuple[Instance, ...]
    limits: Limits = field(default_factory=Limits)
    tag_labels: TagLabels = field(default_factory=TagLabels)
    metrics: Metrics = Metrics()
    alerts: Mapping[Alert, AlertChoice] = field(default_factory=lambda: MappingProxyType({}))
    alert_labels: Mapping[AlertLabel, Text] = field(default_factory=lambda: MappingProxyType({}))
    severities: Mapping[TableSeverity, Word] = field(default_factory=lambda: MappingProxyType({}))
    alertmanager: Alertmanager | None = None
