"""The labels that the configuration may not set, as somebody else does."""

from typing import Final

OF_ALERTS: Final = frozenset(
    {"alertname", "severity", "feldera_instance", "feldera_service", "pipeline", "pipeline_name", "status"}
)
"""What the exporter's alerts set themselves, beside the tags of pipelines."""

OF_EXPORTER_ALERTS: Final = frozenset({"job", "instance", "alertmanager", "dimension"})
"""What the alerts about the exporter set themselves."""

RESERVED: Final = frozenset(
    {
        # Every pipeline's samples carry these, or feldera_pipeline_info does.
        "feldera_instance",
        "pipeline",
        "pipeline_name",
        "platform_version",
        "program_profile",
        # Families that feldera_pipeline_info is joined with carry these: a join would overwrite them.
        "status",
        "from",
        "to",
        "error_code",
        # The alerts about Feldera's services carry this.
        "feldera_service",
        # The samples of problems carry this.
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
"""What neither a pipeline's tags nor a choice about an alert may set."""
