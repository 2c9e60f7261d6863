"""What the exporter exposes: families, their labels, and the label values that are a closed set."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from feldera_exporter.feldera.vocabulary import DIMENSIONS, SERVICES

PIPELINE: Final = ("feldera_instance", "pipeline", "pipeline_name")
INSTANCE: Final = ("feldera_instance",)
TARGET: Final = frozenset({"job", "instance"})
"""Labels that Prometheus adds to every sample."""

OUTCOMES: Final = frozenset(
    {"success", "unauthorized", "timeout", "unreachable", "server_error", "invalid_response", "too_large"}
)


@dataclass(frozen=True)
class Exposed:
    """A family.

    Attributes:
        labels: the names of its labels.
        values: the values of those whose values are a closed set.
        open: whether further labels may come from the configuration.
    """

    labels: frozenset[str]
    values: Mapping[str, frozenset[str]]
    open: bool = False


def _family(*labels: str, open_: bool = False, **values: frozenset[str]) -> Exposed:
    return Exposed(frozenset({*labels, *values}), MappingProxyType(values), open_)


def exposed() -> dict[str, Exposed]:
    """Return every family that the exporter has, by its name.

    The one place to take them from the exporter's own table of families.
    """
    found = {
        "up": _family(),
        "process_start_time_seconds": _family(),
        "feldera_up": _family(*INSTANCE),
        "feldera_pipelines": _family(*INSTANCE),
        "feldera_license_valid": _family(*INSTANCE),
        "feldera_license_expiry_timestamp_seconds": _family(*INSTANCE),
        "feldera_pipeline_info": _family(
            *PIPELINE,
            "platform_version",
            "program_profile",
            "team",
            "tier",
            expect=frozenset({"running"}),
            open_=True,
        ),
        "feldera_pipeline_deployment_error_info": _family(*PIPELINE, "error_code"),
        "feldera_exporter_build_info": _family("version", "python_version"),
        "feldera_exporter_shard_info": _family("shard"),
        "feldera_exporter_polls_total": _family(*INSTANCE, outcome=OUTCOMES),
        "feldera_exporter_unknown_status_total": _family(
            *INSTANCE, dimension=frozenset(dimension.name for dimension in DIMENSIONS)
        ),
    }
    for name in ("healthy", "checked_timestamp_seconds", "unchanged_since_timestamp_seconds"):
        found[f"feldera_cluster_service_{name}"] = _family(*INSTANCE, service=frozenset(SERVICES))
    for name in (
        "poll_interval_seconds",
        "last_successful_poll_timestamp_seconds",
        "api_clock_skew_seconds",
        "event_gaps_total",
        "last_event_gap_timestamp_seconds",
        "event_backlog",
        "unreadable_pipelines",
        "store_errors_total",
        "poll_duration_seconds_bucket",
    ):
        labels = (*INSTANCE, "le") if name.endswith("_bucket") else INSTANCE
        found[f"feldera_exporter_{name}"] = _family(*labels)
    for name in ("config_last_reload_successful", "config_last_reload_success_timestamp_seconds"):
        found[f"feldera_exporter_{name}"] = _family()
    for name in (
        "created_timestamp_seconds",
        "refresh_version",
        "connector_errors_total",
        "deployment_has_error",
        "deployment_error_timestamp_seconds",
        "deployment_errors_total",
    ):
        found[f"feldera_pipeline_{name}"] = _family(*PIPELINE)
    for dimension in DIMENSIONS:
        known = frozenset(dimension.statuses)
        stem = f"feldera_pipeline_{dimension.name}"
        found[stem] = _family(*PIPELINE, status=known)
        found[f"{stem}_since_timestamp_seconds"] = _family(*PIPELINE)
        if dimension.name in {
            "deployment_status",
            "deployment_desired_status",
            "program_status",
            "storage_status",
        }:
            found[f"{stem}_limit_seconds"] = _family(*PIPELINE)
        if dimension.transitions:
            found[f"{stem}_transitions_total"] = Exposed(
                frozenset({*PIPELINE, "from", "to"}), {"from": known, "to": known}
            )
        if dimension.name == "deployment_runtime_status":
            found[f"{stem}_transitions_total"] = _family(*PIPELINE, to=known)
        if dimension.name == "deployment_status":
            found[f"{stem}_seconds_total"] = _family(*PIPELINE, status=known)
    return found
