"""Feldera itself: the last row of the fleet's dashboard."""

from typing import Final

from dashboards.board import SizedPanel
from dashboards.colours import BAD, GOOD, NEEDS_PERSON
from dashboards.mappings import yes_no
from dashboards.panels import NEUTRAL, Display, Query, bars, known, stat, timeline
from dashboards.queries import UP, instance
from dashboards.tables import Column, table

_DAY: Final = 86_400.0


def platform() -> tuple[SizedPanel, ...]:
    """Return the row."""
    expiry = f"{instance('feldera_license_expiry_timestamp_seconds')} - time()"
    checked = instance("feldera_cluster_service_checked_timestamp_seconds", ("feldera_service",))
    unchanged = instance("feldera_cluster_service_unchanged_since_timestamp_seconds", ("feldera_service",))
    health = instance("feldera_cluster_service_healthy", ("feldera_service",))
    return (
        SizedPanel(
            timeline(
                "Feldera's API and services",
                "Whether Feldera answers the exporter, and the health that it reports of its services.",
                (Query(UP, "{{feldera_instance}}: answers"), Query(health, "{{feldera_instance}}: {{feldera_service}}")),
                Display(mappings=yes_no("healthy", "unhealthy"), no_value="unknown"),
            ),
            10, 8,
        ),
        SizedPanel(
            bars(
                "Age of the health checks",
                "How long ago Feldera's cluster monitor checked each service. It should do so every ten minutes. If it stops, the "
                "reported health stays as it was.",
                (Query(f"time() - {checked}", "{{feldera_instance}}: {{feldera_service}}"),),
                Display(unit="s", minimum=0, thresholds=known(GOOD, (1200.0, NEEDS_PERSON), (1800.0, BAD))),
            ),
            7, 8,
        ),
        SizedPanel(
            stat(
                "Health unchanged for",
                "How long the health of each service has not changed.",
                (Query(f"time() - {unchanged}", "{{feldera_instance}}: {{feldera_service}}"),),
                Display(unit="s", thresholds=NEUTRAL),
            ),
            7, 8,
        ),
        SizedPanel(
            stat(
                "License expires in",
                "Time until the license expires; empty if it does not expire.",
                (Query(expiry, "{{feldera_instance}}"),),
                Display(unit="s", thresholds=known(BAD, (3 * _DAY, NEEDS_PERSON), (14 * _DAY, GOOD)), no_value="does not expire"),
            ),
            5, 5,
        ),
        SizedPanel(
            stat(
                "License",
                "Whether the license exists, is confirmed and has not expired.",
                (Query(instance("feldera_license_valid"), "{{feldera_instance}}"),),
                Display(thresholds=known(BAD, (1.0, GOOD)), mappings=yes_no("valid", "not confirmed"), no_value="none"),
            ),
            5, 5,
        ),
        SizedPanel(
            table(
                "Instances",
                "The version, edition and tenant of each instance, and its number of pipelines.",
                (
                    Query(instance("feldera_info", ("version", "edition", "revision", "tenant")), "Version"),
                    Query(instance("feldera_pipelines"), "Pipelines"),
                ),
                (
                    Column("Instance", "feldera_instance"),
                    Column("Version", "version"),
                    Column("Edition", "edition"),
                    Column("Tenant", "tenant"),
                    Column("Revision", "revision"),
                    Column("Pipelines", "Value #B", unit="none"),
                ),
                sort=("Pipelines",),
            ),
            14, 5,
        ),
    )  # fmt: skip
