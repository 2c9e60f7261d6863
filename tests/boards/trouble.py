"""The table of the pipelines that need somebody, the gravest first."""

from boards import links
from boards.colours import BAD, GOOD, NEEDS_PERSON
from boards.mappings import names, severities
from boards.panels import Json, Look, Query
from boards.queries import (
    ON_PIPELINE,
    PIPELINE,
    age,
    chosen,
    each,
    limit,
    present,
    since,
    troubled,
    worst_alert,
)
from boards.tables import Column, table
from feldera_exporter.feldera.vocabulary import DEPLOYMENT, DEPLOYMENT_DESIRED, PROGRAM, Dimension


def trouble() -> Json:
    """Return the table."""

    def of_troubled(expression: str) -> str:
        return chosen(f"({expression}) and {ON_PIPELINE} ({troubled()})")

    relative = f"(time() - {since(DEPLOYMENT)}) / {ON_PIPELINE} ({limit(DEPLOYMENT)})"
    queries = (
        Query(of_troubled(age(DEPLOYMENT)), "Status"),
        Query(of_troubled(_named(DEPLOYMENT_DESIRED, "desired")), "Desired"),
        Query(of_troubled(_named(PROGRAM, "program")), "Program"),
        Query(of_troubled(limit(DEPLOYMENT)), "Limit"),
        Query(of_troubled(relative), "Of limit"),
        Query(of_troubled(each("feldera_pipeline_deployment_error_info", ("error_code",))), "Error"),
        Query(f"max by (feldera_instance, pipeline, team, tier) ({_infos()})", "Tags"),
        Query(of_troubled(worst_alert()), "Alert"),
    )
    columns = (
        Column("Severity", "Value #H", mappings=severities(), cell="color-background"),
        Column(
            "Pipeline",
            "pipeline_name",
            links=links.OF_PIPELINE,
        ),
        Column("Status", "status", mappings=names(), cell="color-background"),
        Column("For", "Value #A", unit="s"),
        Column("Limit", "Value #D", unit="s"),
        Column("Of limit", "Value #E", unit="percentunit", cell="gauge", thresholds=((None, GOOD), (0.8, NEEDS_PERSON), (1.0, BAD))),
        Column("Error", "error_code"),
        Column("Alert", "alertname", links={"Runbook": links.RUNBOOK}),
        Column("Desired", "desired"),
        Column("Program", "program", mappings=names(), cell="color-text"),
        Column("Team", "team"),
        Column("Tier", "tier"),
        Column("Instance", "feldera_instance"),
        Column("Id", "pipeline", hidden=True),
    )  # fmt: skip
    return table(
        "Pipelines in trouble",
        "Every pipeline that has an error, is stuck, or is in a status that is bad or needs a person; the gravest first. A "
        "click on a pipeline opens its board, the exporter's page with the whole error, or Feldera's web console, one on its alert the runbook.",
        queries,
        columns,
        sort=("Severity", "Of limit"),
        look=Look(unit="none", no_value="no pipeline is in trouble"),
    )


def _infos() -> str:
    """Return the infos of the pipelines in trouble that have the chosen tags."""
    return chosen(f"feldera_pipeline_info{{{PIPELINE}}} and {ON_PIPELINE} ({troubled()})")


def _named(dimension: Dimension, label: str) -> str:
    """Return each pipeline's present status as a label of that name."""
    shown = present(dimension)
    renamed = f'label_replace({shown}, "{label}", "$1", "status", "(.+)")'
    return f"max by (feldera_instance, pipeline, {label}) ({renamed})"
