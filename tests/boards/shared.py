"""The panels that more than one board has."""

from collections.abc import Callable

from boards import links
from boards.alerting import alerts, ranked
from boards.board import Place
from boards.colours import BAD, COLOURS, GOOD, IDLE, NEEDS_PERSON
from boards.mappings import codes, severities
from boards.needs import need
from boards.panels import Json, Look, Query, coloured, known, timeline, timeseries
from boards.queries import ON_PIPELINE, PIPELINE, TAGGED, code, family, indented, since
from boards.tables import Column, table
from feldera_exporter.feldera.vocabulary import PROGRAM, RESOURCES, RUNTIME, STORAGE, Dimension

DATA_AGE = known(GOOD, (30.0, NEEDS_PERSON), (75.0, BAD))
"""The rules hold an instance for out of sight after 75 seconds."""

_BEFORE_ALL_CHANGES = 1_000_000
_COUNTED = ((RESOURCES, "from, to"), (RUNTIME, "to"), (PROGRAM, "from, to"), (STORAGE, "from, to"))
"""The dimensions whose transitions are counted, and by which labels."""


def firing(width: int = 24, height: int = 8) -> Place:
    """Return the table of firing alerts, gravest first, each with its runbook."""
    labels = "alertname, feldera_instance, pipeline, pipeline_name, status, service, team, tier"
    severity = f"max by ({labels}) (\n{indented(ranked())}\n)"
    began = 'ALERTS_FOR_STATE{alertname=~"Feldera.+", feldera_instance=~"$feldera_instance|"}'
    age = f"time() - max by ({labels}) (\n  {began}\n  and ignoring (alertstate) (\n{indented(indented(alerts()))}\n  )\n)"
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
    """Return the timeline of a dimension for twenty pipelines: those in trouble first, then those that changed most."""
    changes = f"changes({since(dimension)}[$__range] @ end())"
    tagged = f"last_over_time({TAGGED}[$__range] @ end())"
    changed = f"max by (feldera_instance, pipeline) ({changes})\nand {ON_PIPELINE} {tagged}"
    # The same twenty at every instant of the time shown: what they need is that of its end.
    needed = f"last_over_time((\n{indented(need())}\n)[10s:5s] @ end())"
    first = (
        f'label_replace(\n{indented(f"{_BEFORE_ALL_CHANGES} + {needed}")},\n  "because", "trouble", "", ""\n)'
    )
    ranked_by = f"sum by (feldera_instance, pipeline) (\n{indented(first)}\n  or\n{indented(changed)}\n)"
    expression = f"{code(dimension)}\nand {ON_PIPELINE}\ntopk(20,\n{indented(ranked_by)}\n)"
    return timeline(title, description, (Query(expression, legend),), Look(mappings=codes(dimension)))


def kinds_of(dimension: Dimension) -> list[Json]:
    """Return overrides that give each status of a dimension the colour of its kind."""
    return coloured({status: COLOURS[kind] for status, kind in dimension.statuses.items()})


def transitions(narrowed: Callable[[str], str] = str) -> Json:
    """Return how often pipelines entered each status; `narrowed` takes those away that are not meant."""
    entries = "\nor ".join(
        _entries(family(dimension, "_transitions_total"), by, narrowed) for dimension, by in _COUNTED
    )
    return timeseries(
        "Transitions",
        "How often pipelines entered each status of their resources, runtime, program and storage, from Feldera's event log: "
        "also those that were over before the next scrape.",
        (Query(entries, "{{to}}"),),
        Look(
            decimals=0,
            thresholds=((None, IDLE),),
            overrides=[each for dimension, _ in _COUNTED for each in kinds_of(dimension)],
            no_value="none",
        ),
        style="bars",
    )


def _entries(name: str, by: str, narrowed: Callable[[str], str]) -> str:
    counted = f"max by (feldera_instance, pipeline, {by}) (increase({name}{{{PIPELINE}}}[$__rate_interval]))"
    return f"sum by (to) ({narrowed(counted)}) > 0"
