"""The configuration: a file or the environment as frozen values, or the mistakes in it."""

from feldera_exporter.config.loader import load
from feldera_exporter.config.schema import (
    DEFAULT_TAG_LABELS,
    AlertChoice,
    Alertmanager,
    Authorization,
    BasicAuth,
    Configuration,
    Filter,
    Instance,
    Limits,
    Metrics,
    Override,
    Tls,
)
from feldera_exporter.config.secret import Secret
from feldera_exporter.config.tls import present_context
from feldera_exporter.units import format_duration

__all__ = [
    "DEFAULT_TAG_LABELS",
    "AlertChoice",
    "Alertmanager",
    "Authorization",
    "BasicAuth",
    "Configuration",
    "Filter",
    "Instance",
    "Limits",
    "Metrics",
    "Override",
    "Secret",
    "Tls",
    "format_duration",
    "load",
    "present_context",
]
