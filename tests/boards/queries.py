"""The pieces of PromQL that the boards share: one answer for each thing, however many replicas watch it.

The boards read what the exporter exposes and no recording, so that they work where the rules are not loaded. Where the
alerts are shown, those of the rules are.
"""

from typing import Final

from boards.colours import SEVERITIES
from feldera_exporter.feldera.vocabulary import (
    DEPLOYMENT,
    DEPLOYMENT_DESIRED,
    PROGRAM,
    STORAGE,
    Dimension,
    Kind,
)

INSTANCE: Final = 'feldera_instance=~"$feldera_instance"'
PIPELINE: Final = f'{INSTANCE}, pipeline=~"$pipeline"'
ON_PIPELINE: Final = "on (feldera_instance, pipeline)"
FIRING: Final = 'alertname=~"Feldera.+", alertstate="firing"'
TAGGED: Final = f'feldera_pipeline_info{{{PIPELINE}, team=~"$team", tier=~"$tier"}}'

OVERDUE_IN: Final = (DEPLOYMENT, PROGRAM, STORAGE)
"""The dimensions whose present status may outlast its limit by itself; the desired one is compared with the actual."""


def family(dimension: Dimension, ending: str = "") -> str:
    """Return the name of a family of a dimension."""
    return f"feldera_pipeline_{dimension.name}{ending}"


def each(name: str, by: tuple[str, ...] = (), more: str = "") -> str:
    """Return a family's value for each pipeline chosen, the greatest of all replicas'."""
    labels = ", ".join(("feldera_instance", "pipeline", "pipeline_name", *by))
    return f"max by ({labels}) ({name}{{{PIPELINE}{more}}})"


def chosen(expression: str) -> str:
    """Return an expression's pipelines that have the chosen tags."""
    return f"({expression}) and {ON_PIPELINE} {TAGGED}"


def instance(name: str, by: tuple[str, ...] = (), more: str = "", aggregation: str = "max") -> str:
    """Return a family's value for each instance chosen, over all replicas."""
    labels = ", ".join(("feldera_instance", *by))
    return f"{aggregation} by ({labels}) ({name}{{{INSTANCE}{more}}})"


def since(dimension: Dimension) -> str:
    """Return when the present status began: the replica that heard of the newest is right."""
    return (
        f"max by (feldera_instance, pipeline) ({family(dimension, '_since_timestamp_seconds')}{{{PIPELINE}}})"
    )


def limit(dimension: Dimension) -> str:
    """Return how long the present status may last, where it has a limit."""
    return f"max by (feldera_instance, pipeline) ({family(dimension, '_limit_seconds')}{{{PIPELINE}}}) < Inf"


def _freshest(dimension: Dimension, expression: str, labels: str) -> str:
    """Return the expression by those replicas alone that know of the newest status: a frozen one shows an old one."""
    begun = f"{family(dimension, '_since_timestamp_seconds')}{{{PIPELINE}}}"
    return (
        f"max by ({labels}) (\n  ({expression})\n  and on (feldera_instance, pipeline, job, instance)\n"
        f"  ({begun} == {ON_PIPELINE} group_left () {since(dimension)})\n)"
    )


def present(dimension: Dimension, more: str = "") -> str:
    """Return 1 for each pipeline's present status, which is the label `status`."""
    sets = f"{family(dimension)}{{{PIPELINE}{more}}} == 1"
    return _freshest(dimension, sets, "feldera_instance, pipeline, pipeline_name, status")


def code(dimension: Dimension) -> str:
    """Return the place of each pipeline's present status in the vocabulary, one more than the last for any other."""
    known = "|".join(dimension.statuses)
    matchers = [f'status="{status}"' for status in dimension.statuses] + [f'status!~"{known}"']
    terms = (
        f"{place} * ({family(dimension)}{{{PIPELINE}, {matcher}}} == 1)"
        for place, matcher in enumerate(matchers)
    )
    return _freshest(dimension, "\n  or ".join(terms), "feldera_instance, pipeline, pipeline_name")


def desired_code(desired: Dimension, actual: Dimension) -> str:
    """Return the code of a desired status in the vocabulary of the actual one, so that both share a colour and a row."""
    places = {status: place for place, status in enumerate(actual.statuses)}
    terms = (
        f'{places[status]} * ({family(desired)}{{{PIPELINE}, status="{status}"}} == 1)'
        for status in desired.statuses
    )
    known = "|".join(desired.statuses)
    other = f'{len(places)} * ({family(desired)}{{{PIPELINE}, status!~"{known}"}} == 1)'
    return (
        "max by (feldera_instance, pipeline, pipeline_name) (\n  " + "\n  or ".join((*terms, other)) + "\n)"
    )


def age(dimension: Dimension) -> str:
    """Return how long each pipeline has been in its present status, with it as label `status`."""
    return f"{present(dimension)}\n* {ON_PIPELINE} group_left () (time() - {since(dimension)})"


def overdue(dimension: Dimension) -> str:
    """Return the pipelines whose present status has outlasted its limit."""
    return f"time() - {since(dimension)} > {ON_PIPELINE} {limit(dimension)}"


def drifting() -> str:
    """Return the pipelines that have not been as desired for longer than they may."""
    lasting = f"time() - {since(DEPLOYMENT)} > {ON_PIPELINE} {limit(DEPLOYMENT_DESIRED)}"
    return f"({overdue(DEPLOYMENT_DESIRED)}) and {ON_PIPELINE} ({lasting})"


def stuck() -> str:
    """Return every pipeline in which anything has outlasted its limit, once."""
    return "\n  or ".join([f"({overdue(dimension)})" for dimension in OVERDUE_IN] + [f"({drifting()})"])


def failing() -> str:
    """Return the pipelines that have an error."""
    return f"max by (feldera_instance, pipeline) (feldera_pipeline_deployment_has_error{{{PIPELINE}}}) == 1"


def of_kind(dimension: Dimension, *kinds: Kind) -> str:
    """Return the pipelines whose present status is of one of these kinds."""
    statuses = "|".join(status for status, kind in dimension.statuses.items() if kind in kinds)
    matcher = f', status=~"{statuses}"'
    return f"max by (feldera_instance, pipeline) ({present(dimension, matcher)})"


def troubled() -> str:
    """Return the pipelines that need somebody: with an error, stuck, or in a status that says so by its kind."""
    conditions = [
        failing(),
        stuck(),
        of_kind(DEPLOYMENT, Kind.BAD, Kind.NEEDS_PERSON),
        of_kind(PROGRAM, Kind.BAD),
    ]
    return "\n  or ".join(f"({condition})" for condition in conditions)


def amount(expression: str) -> str:
    """Return how many series an expression has, 0 for none, and nothing where the exporter is not there at all."""
    return f"count({expression})\nor 0 * max(feldera_exporter_build_info)"


def alerts(severity: str = "") -> str:
    """Return the alerts that fire for the instances and tags chosen, of one severity or of any that needs somebody."""
    wanted = f'severity="{severity}"' if severity else 'severity!="none"'
    matchers = f'{FIRING}, {wanted}, feldera_instance=~"$feldera_instance|"'
    return f'ALERTS{{{matchers}, pipeline=~"$pipeline|", team=~"$team|", tier=~"$tier|"}}'


def ranked_alerts() -> str:
    """Return the firing alerts, each with a number that sorts by severity."""
    return "\n  or ".join(f"{rank} * {alerts(name)}" for rank, (name, _) in SEVERITIES.items())


def worst_alert() -> str:
    """Return the gravest alert of each pipeline: its name as a label, and a number that sorts by severity."""
    by = "(feldera_instance, pipeline, alertname)"
    return f"topk by (feldera_instance, pipeline) (1, max by {by} (\n  {ranked_alerts()}\n))"
