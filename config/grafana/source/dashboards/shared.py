"""The panels of more than one dashboard."""

from collections.abc import Callable

from dashboards.colours import BAD, COLOURS, GOOD, IDLE, NEEDS_PERSON
from dashboards.mappings import codes
from dashboards.panels import Display, Json, Query, coloured, known, timeline, timeseries
from dashboards.problems import most_urgent
from dashboards.queries import ON_PIPELINE, PIPELINE, TAGGED, code, family, indented, since
from feldera_exporter.feldera.statuses import PROGRAM, RESOURCES, RUNTIME, STORAGE, Dimension

DATA_AGE = known(GOOD, (30.0, NEEDS_PERSON), (75.0, BAD))

_COUNTED = ((RESOURCES, "from, to"), (RUNTIME, "to"), (PROGRAM, "from, to"), (STORAGE, "from, to"))
"""The dimensions whose transitions are counted, with the labels."""


def statuses_over_time(title: str, description: str, dimension: Dimension, legend: str) -> Json:
    """Return the timeline of a dimension for twenty pipelines: those with problems first, then those that changed most."""
    changed = f"changes({since(dimension)}[$__range] @ end())"
    tagged = f"last_over_time({TAGGED}[$__range] @ end())"
    urgent = f"{most_urgent(changed)}\nand {ON_PIPELINE} {tagged}"
    expression = f"{code(dimension)}\nand {ON_PIPELINE}\ntopk(20,\n{indented(urgent)}\n)"
    return timeline(title, description, (Query(expression, legend),), Display(mappings=codes(dimension)))


def kinds_of(dimension: Dimension) -> list[Json]:
    """Return overrides that give each status of a dimension the colour of its kind."""
    return coloured({status: COLOURS[kind] for status, kind in dimension.statuses.items()})


def transitions(narrowed: Callable[[str], str] = str) -> Json:
    """Return the panel of how often pipelines entered each status; `narrowed` restricts them to the selected pipelines."""
    entries = "\nor ".join(
        _entries(family(dimension, "_transitions_total"), by, narrowed) for dimension, by in _COUNTED
    )
    return timeseries(
        "Transitions",
        "How often pipelines entered each status of their resources, runtime, program and storage, from Feldera's event log. "
        "Statuses that ended before the next scrape count too.",
        (Query(entries, "{{to}}"),),
        Display(
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
