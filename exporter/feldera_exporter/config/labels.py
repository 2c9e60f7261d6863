"""The labels that neither a pipeline's tags nor a choice about an alert may set."""

from typing import Final

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
        "service",
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
