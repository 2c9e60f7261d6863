"""Feldera itself: the last row of the fleet's board."""

from typing import Final

from dashboards.board import Place
from dashboards.colours import BAD, GOOD, NEEDS_PERSON
from dashboards.mappings import yes_no
from dashboards.panels import NEUTRAL, Look, Query, bars, known, stat, timeline
from dashboards.queries import UP, instance
from dashboards.tables import Column, table

_DAY: Final = 86_400.0


def platform() -> tuple[Place, ...]:
    """Return the row."""
    expiry = f"{instance('feldera_license_expiry_timestamp_seconds')} - time()"
    checked = instance("feldera_cluster_service_checked_timestamp_seconds", ("feldera_service",))
    unchanged = instance("feldera_cluster_service_unchanged_since_timestamp_seconds", ("feldera_service",))
    health = instance("feldera_cluster_service_healthy", ("feldera_service",))
    return (
        Place(
            timeline(
                "Feldera's API and services",
                "Whether Feldera answers the exporter, and what it says of its own services.",
                (Query(UP, "{{feldera_instance}}: answers"), Query(health, "{{feldera_instance}}: {{feldera_service}}")),
                Look(mappings=yes_no("well", "not well"), no_value="not known"),
            ),
            10, 8,
        ),
        Place(
            bars(
                "Age of the health checks",
                "How long ago Feldera's own monitor checked each service, which it should do every ten minutes: a dead "
                "monitor goes on saying what it said last.",
                (Query(f"time() - {checked}", "{{feldera_instance}}: {{feldera_service}}"),),
                Look(unit="s", least=0, thresholds=known(GOOD, (1200.0, NEEDS_PERSON), (1800.0, BAD))),
            ),
            7, 8,
        ),
        Place(
            stat(
                "Health unchanged for",
                "How long each service has been as well, or as unwell, as it is.",
                (Query(f"time() - {unchanged}", "{{feldera_instance}}: {{feldera_service}}"),),
                Look(unit="s", thresholds=NEUTRAL),
            ),
            7, 8,
        ),
        Place(
            stat(
                "License ends in",
                "Time to the end of the license; nothing where it has no end.",
                (Query(expiry, "{{feldera_instance}}"),),
                Look(unit="s", thresholds=known(BAD, (3 * _DAY, NEEDS_PERSON), (14 * _DAY, GOOD)), no_value="no end"),
            ),
            5, 5,
        ),
        Place(
            stat(
                "License",
                "Whether the license exists, is confirmed and has not expired.",
                (Query(instance("feldera_license_valid"), "{{feldera_instance}}"),),
                Look(thresholds=known(BAD, (1.0, GOOD)), mappings=yes_no("valid", "not confirmed"), no_value="none"),
            ),
            5, 5,
        ),
        Place(
            table(
                "Instances",
                "What each instance says of itself, and how many pipelines it has.",
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
