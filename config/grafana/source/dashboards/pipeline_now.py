"""The present state: the first row of a pipeline's dashboard."""

from dashboards import links, problems
from dashboards.board import SizedPanel
from dashboards.colours import BAD, GOOD, NEEDS_PERSON
from dashboards.mappings import codes
from dashboards.panels import Display, Json, Query, bars, known, stat
from dashboards.queries import code, desired_code, each, limit, shown, since
from dashboards.tables import Column, table
from feldera_exporter.feldera.statuses import (
    DEPLOYMENT,
    DEPLOYMENT_DESIRED,
    PROGRAM,
    STORAGE,
    Dimension,
)

_AGAINST_LIMIT = known(GOOD, (0.8, NEEDS_PERSON), (1.0, BAD))


def _status(title: str, description: str, dimension: Dimension, of: Dimension | None = None) -> Json:
    """Return the present status of a dimension as text; a desired one has the codes of the actual one."""
    shown = code(dimension) if of is None else desired_code(dimension, of)
    return stat(title, description, (Query(shown, title.lower()),), Display(mappings=codes(of or dimension)))


def now() -> tuple[SizedPanel, ...]:
    """Return the row."""
    failed_at = each("feldera_pipeline_deployment_error_timestamp_seconds")
    created_at = each("feldera_pipeline_created_timestamp_seconds")
    code_of_error = each("feldera_pipeline_deployment_error_info", ("error_code",))
    lasting = {"deployment": DEPLOYMENT, "program": PROGRAM, "storage": STORAGE}
    return (
        SizedPanel(_status("Status", "The present deployment status.", DEPLOYMENT), 4, 4),
        SizedPanel(_status("Desired", "The desired deployment status.", DEPLOYMENT_DESIRED, DEPLOYMENT), 4, 4),
        SizedPanel(_status("Program", "The status of the program's compilation.", PROGRAM), 4, 4),
        SizedPanel(_status("Storage", "The status of the pipeline's storage.", STORAGE), 3, 4),
        SizedPanel(
            stat(
                "Error",
                "The code of the present deployment error. The exporter's page about the pipeline shows the message.",
                (Query(code_of_error, "{{error_code}}"),),
                Display(thresholds=known(BAD), no_value="none"),
                named=True,
            ),
            4, 4,
        ),
        SizedPanel(
            stat(
                "Error for",
                "How long ago the present deployment error appeared.",
                (Query(f"time() - {failed_at}", "error"),),
                Display(unit="s", no_value="none"),
            ),
            5, 4,
        ),
        SizedPanel(
            stat(
                "In this status for",
                "How long each present status has lasted, by Feldera's clock.",
                [Query(shown(f"time() - {since(dimension)}"), name) for name, dimension in lasting.items()],
                Display(unit="s"),
            ),
            8, 5,
        ),
        SizedPanel(
            bars(
                "Share of the limit",
                "The part of its limit that each present status has lasted; empty if it has no limit.",
                [
                    Query(shown(f"(time() - {since(dimension)}) / ({limit(dimension)})"), name)
                    for name, dimension in lasting.items()
                ],
                Display(unit="percentunit", minimum=0, thresholds=_AGAINST_LIMIT, no_value="no limit"),
            ),
            6, 5,
        ),
        SizedPanel(
            table(
                "Information",
                "The platform version, profile, tags and age of the pipeline.",
                (Query(each("feldera_pipeline_info", ("platform_version", "program_profile", "team", "tier", "expect")), "Info"), Query(f"time() - {created_at}", "Age")),
                (
                    Column("Pipeline", "pipeline_name", links={"Feldera's web console": links.CONSOLE}),
                    Column("Team", "team"),
                    Column("Tier", "tier"),
                    Column("Expected", "expect"),
                    Column("Version", "platform_version"),
                    Column("Profile", "program_profile"),
                    Column("Age", "Value #B", unit="s"),
                    Column("Id", "pipeline"),
                ),
            ),
            10, 5,
        ),
        problems.of_pipelines(24, 6),
    )  # fmt: skip
