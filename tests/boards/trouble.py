"""The table of the pipelines that need somebody, the gravest first."""

from boards import links
from boards.alerting import worst_of_each
from boards.colours import BAD, GOOD, NEEDS_PERSON
from boards.mappings import names, not_as_desired, severities
from boards.needs import longest, most_overdue, of_worst, status
from boards.panels import Json, Look, Query
from boards.queries import NAMED, PIPELINE, each, freshest, statuses
from boards.tables import Column, table
from feldera_exporter.feldera.vocabulary import DEPLOYMENT, DEPLOYMENT_DESIRED, PROGRAM, Dimension


def trouble() -> Json:
    """Return the table."""
    tags = freshest(f"feldera_pipeline_info{{{PIPELINE}}}", (*NAMED, "team", "tier"))
    queries = (
        Query(of_worst(longest()), "For"),
        Query(of_worst(most_overdue()), "Of limit"),
        Query(of_worst(worst_of_each()), "Alert"),
        Query(of_worst(status()), "Status"),
        Query(of_worst(each("feldera_pipeline_deployment_error_info", ("error_code",))), "Error"),
        Query(of_worst(_named(DEPLOYMENT, "deployment")), "Deployment"),
        Query(of_worst(_named(DEPLOYMENT_DESIRED, "desired")), "Desired"),
        Query(of_worst(_named(PROGRAM, "program")), "Program"),
        Query(of_worst(tags), "Tags"),
    )
    columns = (
        Column("Severity", "Value #C", mappings=severities(), cell="color-background"),
        Column("Pipeline", "pipeline_name", links=links.OF_PIPELINE),
        Column("What", "dimension"),
        Column("Status", "status", mappings=[*names(), *not_as_desired()], cell="color-background"),
        Column("For", "Value #A", unit="s"),
        Column("Of limit", "Value #B", unit="percentunit", cell="gauge", thresholds=((None, GOOD), (0.8, NEEDS_PERSON), (1.0, BAD))),
        Column("Alert", "alertname", links={"Runbook": links.RUNBOOK}),
        Column("Error", "error_code"),
        Column("Deployment", "deployment", mappings=names(), cell="color-text"),
        Column("Desired", "desired"),
        Column("Program", "program", mappings=names(), cell="color-text"),
        Column("Team", "team"),
        Column("Tier", "tier"),
        Column("Instance", "feldera_instance"),
        Column("Id", "pipeline", hidden=True),
    )  # fmt: skip
    return table(
        "Pipelines in trouble",
        "Every pipeline that has a critical or warning alert or an error, is stuck, or is in a status that is bad or needs a "
        "person; the gravest first, at most fifty. Status is that of the deployment, the program, the storage or the "
        "difference to what is desired, whichever has used most of its limit. A click on a pipeline opens its board, the "
        "exporter's page with the whole error, or Feldera's web console, one on its alert the runbook.",
        queries,
        columns,
        sort=("Severity", "Of limit"),
        look=Look(unit="none", no_value="no pipeline is in trouble, or none is seen"),
    )


def _named(dimension: Dimension, label: str) -> str:
    """Return each pipeline's present status as a label of that name."""
    renamed = f'label_replace({statuses(dimension)}, "{label}", "$1", "status", "(.+)")'
    return freshest(renamed, (*NAMED, label))
