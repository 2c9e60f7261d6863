"""The history: trends, timelines and durations of the fleet's dashboard."""

from dashboards.board import SizedPanel
from dashboards.colours import BAD
from dashboards.mappings import names
from dashboards.panels import Display, Query, limits, timeseries
from dashboards.queries import ON_PIPELINE, SHOWN, increase, limit, present, shown, with_status
from dashboards.shared import kinds_of, statuses_over_time, transitions
from dashboards.tables import Column, table
from feldera_exporter.feldera.statuses import DEPLOYMENT, PROGRAM, STORAGE

_NAME = "{{pipeline_name}} ({{feldera_instance}})"
_BUCKET = "feldera_status_duration_seconds_bucket"


def trends() -> tuple[SizedPanel, ...]:
    """Return the row of trends."""
    errors = increase("feldera_deployment_errors_total", "$__rate_interval", "error_code")
    return (
        SizedPanel(
            timeseries(
                "Pipelines by status",
                "How many pipelines are in each deployment status.",
                (Query(f"sum by (status) ({present(DEPLOYMENT)})", "{{status}}"),),
                Display(overrides=kinds_of(DEPLOYMENT), decimals=0, minimum=0),
                style="stacked",
            ),
            12, 9,
        ),
        SizedPanel(
            timeseries(
                "New errors by code",
                "Deployment errors that appeared, also those that were dismissed at once. They are those of the whole instance; the "
                "selected tags do not matter.",
                (Query(f"sum by (error_code) ({errors})", "{{error_code}}"),),
                Display(decimals=0, minimum=0, no_value="no errors"),
                style="bars",
            ),
            12, 9,
        ),
        SizedPanel(
            timeseries(
                "Programs by status",
                "How many programs are compiled, wait for a compiler, are being compiled, or have errors.",
                (Query(f"sum by (status) ({present(PROGRAM)})", "{{status}}"),),
                Display(overrides=kinds_of(PROGRAM), decimals=0, minimum=0),
                style="stacked",
            ),
            12, 8,
        ),
        SizedPanel(transitions(_of_selected), 12, 8),
    )  # fmt: skip


def _of_selected(counted: str) -> str:
    return f"({counted})\nand {ON_PIPELINE} {SHOWN}"


def timelines() -> tuple[SizedPanel, ...]:
    """Return the row of timelines."""
    most = "Twenty pipelines: those with problems at the end of the time range, the most severe first, then those that changed most often."
    return (
        SizedPanel(statuses_over_time("Deployment status", most, DEPLOYMENT, _NAME), 12, 14),
        SizedPanel(statuses_over_time("Program status", most, PROGRAM, _NAME), 12, 14),
    )


def durations() -> tuple[SizedPanel, ...]:
    """Return the row of durations."""
    counted = increase(_BUCKET, "$__range", "status", "le")
    ended = increase("feldera_status_duration_seconds_count", "$__range", "status")
    limited = "\nor ".join(
        with_status(dimension, limit(dimension)) for dimension in (DEPLOYMENT, PROGRAM, STORAGE)
    )
    by_limit = shown(limited, ("status",), "min")
    quantiles = [
        Query(f"histogram_quantile({share}, sum by (status, le) ({counted})) > 0", f"p{round(share * 100)}")
        for share in (0.5, 0.95)
    ]
    columns = (
        Column("Status", "status", mappings=names(), cell="color-text"),
        Column("Median", "Value #A", unit="s"),
        Column("95 %", "Value #B", unit="s"),
        Column("Limit", "Value #C", unit="s"),
        Column("Ended", "Value #D", unit="none", decimals=0),
    )
    moving = increase(_BUCKET, "$__rate_interval", "status", "le")
    return (
        SizedPanel(
            table(
                "How long transient statuses last",
                "Of the statuses that ended in the time range. The limit is the smallest one of the pipelines that are in the status now.",
                (*quantiles, Query(by_limit, "Limit"), Query(f"sum by (status) ({ended}) > 0", "Ended")),
                columns,
                sort=("95 %",),
                display=Display(unit="none", no_value="none ended in the time range"),
            ),
            12, 9,
        ),
        SizedPanel(
            timeseries(
                "Duration of transient statuses, 95 %",
                "Of the statuses that ended at about that time. The dashed lines are the smallest limits of pipelines in the status.",
                (
                    Query(f"histogram_quantile(0.95, sum by (status, le) ({moving})) > 0", "{{status}}"),
                    Query(by_limit, "limit of {{status}}"),
                ),
                Display(
                    unit="s",
                    minimum=0,
                    overrides=[*kinds_of(DEPLOYMENT), *kinds_of(PROGRAM), *kinds_of(STORAGE), limits("^limit of ", BAD)],
                    no_value="none ended",
                ),
                style="points",
            ),
            12, 9,
        ),
    )  # fmt: skip
