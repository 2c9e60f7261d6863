"""How it came to that: timelines, durations and counters of one pipeline's board."""

from dashboards.board import Place
from dashboards.colours import BAD, NEEDS_PERSON
from dashboards.mappings import codes
from dashboards.panels import Look, Query, bars, coloured, limits, timeline, timeseries
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


def timelines() -> tuple[Place, ...]:
    """Return the row of timelines."""
    return (
        Place(
            timeline(
                "Deployment",
                "The status that was asked for and the one that was.",
                (Query(desired_code(DEPLOYMENT_DESIRED, DEPLOYMENT), "desired"), Query(code(DEPLOYMENT), "actual")),
                Look(mappings=codes(DEPLOYMENT)),
            ),
            24, 6,
        ),
        Place(
            timeline(
                "Resources",
                "What the runner was asked for and what it did.",
                (Query(desired_code(RESOURCES_DESIRED, RESOURCES), "desired"), Query(code(RESOURCES), "actual")),
                Look(mappings=codes(RESOURCES)),
            ),
            24, 6,
        ),
        Place(timeline("Program over time", "The compilation.", (Query(code(PROGRAM), "program"),), Look(mappings=codes(PROGRAM))), 12, 5),
        Place(timeline("Storage over time", "The storage.", (Query(code(STORAGE), "storage"),), Look(mappings=codes(STORAGE))), 12, 5),
    )  # fmt: skip


def durations() -> tuple[Place, ...]:
    """Return the row of durations."""
    spent = f"increase(feldera_pipeline_deployment_status_seconds_total{{{PIPELINE}}}[$__range])"
    age = shown(with_status(DEPLOYMENT, f"time() - {since(DEPLOYMENT)}"), (*NAMED, "status"))
    return (
        Place(
            bars(
                "Time in each status",
                "How the time shown was spent, exact to the microsecond by Feldera's timestamps.",
                (Query(f"sort_desc(max by (status) ({spent}) > 0)", "{{status}}"),),
                Look(unit="s", least=0, overrides=kinds_of(DEPLOYMENT), no_value="not watched in the time shown"),
            ),
            8, 9,
        ),
        Place(
            timeseries(
                "Present status against its limit",
                "How long the present deployment status had lasted, and, dashed, how long it may.",
                (Query(age, "{{status}}"), Query(shown(limit(DEPLOYMENT)), "limit")),
                Look(unit="s", least=0, overrides=[*kinds_of(DEPLOYMENT), limits("^limit$", BAD)]),
            ),
            16, 9,
        ),
    )  # fmt: skip


def counted() -> tuple[Place, ...]:
    """Return the row of what was counted."""
    errors = f"max by (feldera_instance, pipeline) (increase(feldera_pipeline_deployment_errors_total{{{PIPELINE}}}[$__rate_interval]))"
    failed = shown(f"feldera_pipeline_deployment_has_error{{{PIPELINE}}} == 1")
    connectors = f"max by (feldera_instance, pipeline) (rate(feldera_pipeline_connector_errors_total{{{PIPELINE}}}[$__rate_interval]))"
    return (
        Place(transitions(), 8, 8),
        Place(
            timeseries(
                "Deployment errors",
                "Errors that appeared, also those that were dismissed at once; and whether one was set.",
                (Query(errors, "new"), Query(failed, "set")),
                Look(decimals=0, least=0, overrides=coloured({"new": BAD, "set": NEEDS_PERSON})),
                style="bars",
            ),
            8, 8,
        ),
        Place(
            timeseries(
                "Connector errors a second",
                "Errors of all connectors together; nothing where Feldera does not report them.",
                (Query(connectors, "errors"),),
                Look(unit="cps", least=0, overrides=coloured({"errors": BAD}), no_value="not reported"),
            ),
            8, 8,
        ),
    )  # fmt: skip
