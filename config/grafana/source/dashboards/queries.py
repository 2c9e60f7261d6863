"""The PromQL that the dashboards share: one result for each pipeline or instance, however many replicas watch it.

The dashboards use no recording rule, so they work without the rules. Like the rules, they read only the replicas that can
reach Feldera: another replica neither hides a problem nor shows one that has ended.
"""

from typing import Final

from feldera_exporter.feldera.statuses import Dimension

INSTANCE: Final = 'feldera_instance=~"$feldera_instance"'
PIPELINE: Final = f'{INSTANCE}, pipeline=~"$pipeline"'
TAGS: Final = 'team=~"$team", tier=~"$tier"'
ON_PIPELINE: Final = "on (feldera_instance, pipeline)"
EACH: Final = ("feldera_instance", "pipeline")
NAMED: Final = (*EACH, "pipeline_name")

TAGGED: Final = f"feldera_pipeline_info{{{PIPELINE}, {TAGS}}}"

UP: Final = f"max by (feldera_instance) (feldera_up{{{INSTANCE}}})"
"""Whether each selected instance answers."""

LAST_POLL: Final = (
    f"max by (feldera_instance) (feldera_exporter_last_successful_poll_timestamp_seconds{{{INSTANCE}}})"
)
"""When each selected instance last answered."""

TRUSTED: Final = f"feldera_up{{{INSTANCE}}} == on (feldera_instance) group_left () {UP}"
"""The replicas that can reach an instance, or all of them if none can, as `feldera:exporter:trusted` of the rules."""

SHOWN: Final = f"""(
  {TAGGED}
  and on (job, instance, feldera_instance) {TRUSTED}
)"""
"""The selected pipelines, from those replicas."""


def indented(text: str) -> str:
    """Return the text indented by two blanks."""
    return "\n".join(f"  {line}" for line in text.splitlines())


def family(dimension: Dimension, ending: str = "") -> str:
    """Return the name of a family of a dimension."""
    return f"feldera_pipeline_{dimension.name}{ending}"


def trusted(expression: str, labels: tuple[str, ...]) -> str:
    """Return an expression of the trusted replicas, aggregated by these labels; the largest value if replicas differ."""
    inner = f"({expression})\nand on (job, instance, feldera_instance) {TRUSTED}"
    return f"max by ({', '.join(labels)}) (\n{indented(inner)}\n)"


def instance(name: str, by: tuple[str, ...] = ()) -> str:
    """Return a family's value for each selected instance."""
    return trusted(f"{name}{{{INSTANCE}}}", ("feldera_instance", *by))


def shown(expression: str, labels: tuple[str, ...] = EACH, aggregated: str = "max") -> str:
    """Return an expression for the selected pipelines, aggregated by these labels."""
    inner = f"({expression})\nand on (job, instance, feldera_instance, pipeline) {SHOWN}"
    return f"{aggregated} by ({', '.join(labels)}) (\n{indented(inner)}\n)"


def each(name: str, by: tuple[str, ...] = ()) -> str:
    """Return a family's value for each selected pipeline."""
    return shown(f"{name}{{{PIPELINE}}}", (*NAMED, *by))


def increase(name: str, window: str, *by: str) -> str:
    """Return the increase of a counter of the selected instances, by instance and `by`; replicas are not added up."""
    labels = ", ".join(("feldera_instance", *by))
    return f"max by ({labels}) (increase({name}{{{INSTANCE}}}[{window}]))"


def since(dimension: Dimension) -> str:
    """Return when the present status began, for each replica."""
    return f"{family(dimension, '_since_timestamp_seconds')}{{{PIPELINE}}}"


def limit(dimension: Dimension) -> str:
    """Return how long the present status may last where it has a limit, for each replica."""
    return f"{family(dimension, '_limit_seconds')}{{{PIPELINE}}} < Inf"


def statuses(dimension: Dimension, more: str = "") -> str:
    """Return 1 for the present status, which is the label `status`, for each replica."""
    return f"{family(dimension)}{{{PIPELINE}{more}}} == 1"


def with_status(dimension: Dimension, expression: str) -> str:
    """Return an expression of each pipeline with its present status as label `status`, for each replica."""
    return f"({statuses(dimension)}) * ignoring (status) group_left () ({expression})"


def present(dimension: Dimension, more: str = "") -> str:
    """Return 1 for each pipeline's present status, which is the label `status`."""
    return shown(statuses(dimension, more), (*NAMED, "status"))


def code(dimension: Dimension) -> str:
    """Return the index of each pipeline's present status among the dimension's statuses; one more for unknown ones."""
    return _code(dimension, dimension)


def desired_code(desired: Dimension, actual: Dimension) -> str:
    """Return the index of a desired status among the statuses of the actual dimension, so that both have the same colours."""
    return _code(desired, actual)


def _code(dimension: Dimension, statuses_of: Dimension) -> str:
    places = {status: place for place, status in enumerate(statuses_of.statuses)}
    known = list(dimension.statuses)
    coded = [(places[status], f'status="{status}"') for status in known]
    coded.append((len(places), f'status!~"{"|".join(known)}"'))
    terms = (f"{place} * ({statuses(dimension, f', {matcher}')})" for place, matcher in coded)
    return shown("\n  or ".join(terms), NAMED)


def amount(expression: str) -> str:
    """Return the number of series; if there are none, 0 while an instance answers, and nothing otherwise."""
    return f"count({expression})\nor 0 * count({UP} == 1)"
