"""Where a pipeline stands: the first row of its board."""

from dashboards import links, problems
from dashboards.board import Place
from dashboards.colours import BAD, GOOD, NEEDS_PERSON
from dashboards.mappings import codes
from dashboards.panels import Json, Look, Query, bars, known, stat
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
    return stat(title, description, (Query(shown, title.lower()),), Look(mappings=codes(of or dimension)))


def now() -> tuple[Place, ...]:
    """Return the row."""
    failed_at = each("feldera_pipeline_deployment_error_timestamp_seconds")
    created_at = each("feldera_pipeline_created_timestamp_seconds")
    code_of_error = each("feldera_pipeline_deployment_error_info", ("error_code",))
    lasting = {"deployment": DEPLOYMENT, "program": PROGRAM, "storage": STORAGE}
    return (
        Place(_status("Status", "The present deployment status.", DEPLOYMENT), 4, 4),
        Place(_status("Desired", "The deployment status that is asked for.", DEPLOYMENT_DESIRED, DEPLOYMENT), 4, 4),
        Place(_status("Program", "The status of the program's compilation.", PROGRAM), 4, 4),
        Place(_status("Storage", "The status of the pipeline's storage.", STORAGE), 3, 4),
        Place(
            stat(
                "Error",
                "The code of the present deployment error; its text is on Feldera's and on the exporter's page of the pipeline.",
                (Query(code_of_error, "{{error_code}}"),),
                Look(thresholds=known(BAD), no_value="none"),
                named=True,
            ),
            4, 4,
        ),
        Place(
            stat(
                "Error for",
                "How long ago the present deployment error appeared.",
                (Query(f"time() - {failed_at}", "error"),),
                Look(unit="s", no_value="none"),
            ),
            5, 4,
        ),
        Place(
            stat(
                "In this status for",
                "How long each present status has lasted, by Feldera's clock.",
                [Query(shown(f"time() - {since(dimension)}"), name) for name, dimension in lasting.items()],
                Look(unit="s"),
            ),
            8, 5,
        ),
        Place(
            bars(
                "Of the limit",
                "How much of the time has passed that each present status may last; nothing where that is for ever.",
                [
                    Query(shown(f"(time() - {since(dimension)}) / ({limit(dimension)})"), name)
                    for name, dimension in lasting.items()
                ],
                Look(unit="percentunit", least=0, thresholds=_AGAINST_LIMIT, no_value="no limit"),
            ),
            6, 5,
        ),
        Place(
            table(
                "What it is",
                "The pipeline's platform version, profile and tags, and how long it has existed.",
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
