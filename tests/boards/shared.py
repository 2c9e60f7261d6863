"""The panels that more than one board has."""

from collections.abc import Callable

from boards import links
from boards.board import Place
from boards.colours import BAD, COLOURS, GOOD, IDLE, NEEDS_PERSON
from boards.mappings import codes, severities
from boards.panels import Json, Look, Query, coloured, timeline, timeseries
from boards.queries import ON_PIPELINE, alerts, chosen, code, family, ranked_alerts
from boards.tables import Column, table
from feldera_exporter.feldera.vocabulary import RESOURCES, RUNTIME, Dimension

DATA_AGE = ((None, GOOD), (30.0, NEEDS_PERSON), (75.0, BAD))
"""The rules hold an instance for out of sight after 75 seconds."""


def firing(width: int = 24, height: int = 8) -> Place:
    """Return the table of firing alerts, gravest first, each with its runbook."""
    labels = "alertname, feldera_instance, pipeline, pipeline_name, status, service, team, tier"
    severity = f"max by ({labels}) (\n  {ranked_alerts()}\n)"
    began = 'ALERTS_FOR_STATE{alertname=~"Feldera.+", feldera_instance=~"$feldera_instance|"}'
    age = f"time() - max by ({labels}) ({began} and ignoring (alertstate) {alerts()})"
    columns = (
        Column("Severity", "Value #A", mappings=severities(), cell="color-background"),
        Column("Alert", "alertname", links={"Runbook": links.RUNBOOK}),
        Column("Pipeline", "pipeline_name", links=links.OF_PIPELINE),
        Column("Status", "status"),
        Column("Service", "service"),
        Column("Active for", "Value #B", unit="s"),
        Column("Team", "team"),
        Column("Tier", "tier"),
        Column("Instance", "feldera_instance"),
        Column("Id", "pipeline", hidden=True),
    )  # fmt: skip
    return Place(
        table(
            "Firing alerts in detail",
            "What the alert rules say at present, gravest first. A click on an alert opens its runbook, one on a pipeline "
            "its board, the exporter's page with the whole error, or Feldera's web console. Empty where the rules are not loaded.",
            (Query(severity, "Severity"), Query(age, "Active for")),
            columns,
            sort=("Severity", "Active for"),
            look=Look(unit="none", no_value="nothing fires"),
        ),
        width,
        height,
    )


def statuses_over_time(title: str, description: str, dimension: Dimension, legend: str) -> Json:
    """Return the timeline of a dimension for the twenty pipelines that changed most in the time shown."""
    changes = f"changes({family(dimension, '_since_timestamp_seconds')}[$__range] @ end())"
    busiest = f"topk(20, {chosen(f'max by (feldera_instance, pipeline) ({changes})')})"
    expression = f"{code(dimension)}\nand {ON_PIPELINE} {busiest}"
    return timeline(title, description, (Query(expression, legend),), Look(mappings=codes(dimension)))


def kinds_of(dimension: Dimension) -> list[Json]:
    """Return overrides that give each status of a dimension the colour of its kind."""
    return coloured({status: COLOURS[kind] for status, kind in dimension.statuses.items()})


def transitions(narrowed: Callable[[str], str] = str) -> Json:
    """Return how often pipelines entered each status; `narrowed` takes those away that are not meant."""
    entries = (
        _entries(family(RESOURCES, "_transitions_total"), "from, to", narrowed),
        _entries(family(RUNTIME, "_transitions_total"), "to", narrowed),
    )
    colours = {**RESOURCES.statuses, **RUNTIME.statuses}
    return timeseries(
        "Transitions",
        "How often pipelines entered each status of their resources and their runtime, from Feldera's event log: "
        "also those that were over before the next scrape.",
        [Query(entry, "{{to}}") for entry in entries],
        Look(
            decimals=0,
            thresholds=((None, IDLE),),
            overrides=coloured({status: COLOURS[kind] for status, kind in colours.items()}),
            no_value="none",
        ),
        style="bars",
    )


def _entries(name: str, by: str, narrowed: Callable[[str], str]) -> str:
    selected = f'{name}{{feldera_instance=~"$feldera_instance", pipeline=~"$pipeline"}}'
    counted = f"max by (feldera_instance, pipeline, {by}) (increase({selected}[$__rate_interval]))"
    return f"sum by (to) ({narrowed(counted)})"
