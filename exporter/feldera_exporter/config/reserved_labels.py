"""The labels that the configuration may not set."""

from typing import Final

OF_ALERTS: Final = frozenset(
    {"alertname", "severity", "feldera_instance", "feldera_service", "pipeline", "pipeline_name", "status"}
)
"""The labels that alerts set themselves, besides the tag labels of pipelines."""

OF_EXPORTER_ALERTS: Final = frozenset({"job", "instance", "alertmanager", "dimension"})
"""The labels that alerts about the exporter set themselves."""

RESERVED: Final = frozenset(
    {
        # Labels of every pipeline's samples, or of feldera_pipeline_info.
        "feldera_instance",
        "pipeline",
        "pipeline_name",
        "platform_version",
        "program_profile",
        # Labels of families that are joined with feldera_pipeline_info: a join would overwrite them.
        "status",
        "from",
        "to",
        "error_code",
        # The label of alerts about Feldera's services.
        "feldera_service",
        # The label of the samples of problems.
        "problem",
        # Prometheus and Alertmanager set these themselves.
        "instance",
        "job",
        "le",
        "quantile",
        "alertname",
        "alertstate",
        "severity",
    }
)
"""The labels that neither tags nor the settings of an alert may set."""
