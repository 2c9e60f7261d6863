"""The history: timelines, durations and counters of a pipeline's dashboard."""

from dashboards.board import SizedPanel
from dashboards.colours import BAD, NEEDS_PERSON
from dashboards.mappings import codes
from dashboards.panels import Display, Query, bars, coloured, limits, timeline, timeseries
from dashboards.queries import NAMED, PIPELINE, code, desired_code, limit, shown, since, with_status
from dashboards.shared import kinds_of, transitions
from feldera_exporter.feldera.statuses import (
    DEPLOYMENT,
    DEPLOYMENT_DESIRED,
    PROGRAM,
    RESOURCES,
    RESOURCES_DESIRED,
    STORAGE,
)


def timelines() -> tuple[SizedPanel, ...]:
    """Return the row of timelines."""
    return (
        SizedPanel(
            timeline(
                "Deployment",
                "The desired and the actual status.",
                (Query(desired_code(DEPLOYMENT_DESIRED, DEPLOYMENT), "desired"), Query(code(DEPLOYMENT), "actual")),
                Display(mappings=codes(DEPLOYMENT)),
            ),
            24, 6,
        ),
        SizedPanel(
            timeline(
                "Resources",
                "The desired and the actual status of the resources.",
                (Query(desired_code(RESOURCES_DESIRED, RESOURCES), "desired"), Query(code(RESOURCES), "actual")),
                Display(mappings=codes(RESOURCES)),
            ),
            24, 6,
        ),
        SizedPanel(timeline("Program over time", "The compilation.", (Query(code(PROGRAM), "program"),), Display(mappings=codes(PROGRAM))), 12, 5),
        SizedPanel(timeline("Storage over time", "The storage.", (Query(code(STORAGE), "storage"),), Display(mappings=codes(STORAGE))), 12, 5),
    )  # fmt: skip


def durations() -> tuple[SizedPanel, ...]:
    """Return the row of durations."""
    spent = f"increase(feldera_pipeline_deployment_status_seconds_total{{{PIPELINE}}}[$__range])"
    age = shown(with_status(DEPLOYMENT, f"time() - {since(DEPLOYMENT)}"), (*NAMED, "status"))
    return (
        SizedPanel(
            bars(
                "Time in each status",
                "The time in each status within the time range, by Feldera's timestamps.",
                (Query(f"sort_desc(max by (status) ({spent}) > 0)", "{{status}}"),),
                Display(unit="s", minimum=0, overrides=kinds_of(DEPLOYMENT), no_value="not watched in the time range"),
            ),
            8, 9,
        ),
        SizedPanel(
            timeseries(
                "Present status against its limit",
                "How long the present deployment status had lasted. The dashed line is its limit.",
                (Query(age, "{{status}}"), Query(shown(limit(DEPLOYMENT)), "limit")),
                Display(unit="s", minimum=0, overrides=[*kinds_of(DEPLOYMENT), limits("^limit$", BAD)]),
            ),
            16, 9,
        ),
    )  # fmt: skip


def counters() -> tuple[SizedPanel, ...]:
    """Return the row of counters."""
    errors = f"max by (feldera_instance, pipeline) (increase(feldera_pipeline_deployment_errors_total{{{PIPELINE}}}[$__rate_interval]))"
    failed = shown(f"feldera_pipeline_deployment_has_error{{{PIPELINE}}} == 1")
    connectors = f"max by (feldera_instance, pipeline) (rate(feldera_pipeline_connector_errors_total{{{PIPELINE}}}[$__rate_interval]))"
    return (
        SizedPanel(transitions(), 8, 8),
        SizedPanel(
            timeseries(
                "Deployment errors",
                "Errors that appeared, also those that were dismissed at once; and whether one was set.",
                (Query(errors, "new"), Query(failed, "set")),
                Display(decimals=0, minimum=0, overrides=coloured({"new": BAD, "set": NEEDS_PERSON})),
                style="bars",
            ),
            8, 8,
        ),
        SizedPanel(
            timeseries(
                "Connector errors per second",
                "Errors of all connectors; empty if Feldera does not report them.",
                (Query(connectors, "errors"),),
                Display(unit="cps", minimum=0, overrides=coloured({"errors": BAD}), no_value="not reported"),
            ),
            8, 8,
        ),
    )  # fmt: skip
