"""The pieces of PromQL that the boards share: one answer for each thing, however many replicas watch it.

The boards read what the exporter exposes and no recording, so that they work where the rules are not loaded. As the rules
do, they ask only the replicas that see Feldera: one that is frozen or cut off neither hides a trouble nor shows one that is
over.
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
"""Whether each instance chosen answers."""

HEARD: Final = (
    f"max by (feldera_instance) (feldera_exporter_last_successful_poll_timestamp_seconds{{{INSTANCE}}})"
)
"""When each instance chosen last answered."""

SEEING: Final = f"feldera_up{{{INSTANCE}}} == on (feldera_instance) group_left () {UP}"
"""The replicas that see an instance, or all of them where none does: as the rules' recording."""

SHOWN: Final = f"""(
  {TAGGED}
  and on (job, instance, feldera_instance) {SEEING}
)"""
"""The pipelines chosen, as those replicas know them."""


def indented(text: str) -> str:
    """Return the text two columns further right."""
    return "\n".join(f"  {line}" for line in text.splitlines())


def family(dimension: Dimension, ending: str = "") -> str:
    """Return the name of a family of a dimension."""
    return f"feldera_pipeline_{dimension.name}{ending}"


def seen(expression: str, labels: tuple[str, ...]) -> str:
    """Return what the replicas that see say, by these labels alone; the greatest value where they differ."""
    inner = f"({expression})\nand on (job, instance, feldera_instance) {SEEING}"
    return f"max by ({', '.join(labels)}) (\n{indented(inner)}\n)"


def instance(name: str, by: tuple[str, ...] = ()) -> str:
    """Return a family's value for each instance chosen."""
    return seen(f"{name}{{{INSTANCE}}}", ("feldera_instance", *by))


def shown(expression: str, labels: tuple[str, ...] = EACH, aggregated: str = "max") -> str:
    """Return what they say of the pipelines chosen, by these labels alone."""
    inner = f"({expression})\nand on (job, instance, feldera_instance, pipeline) {SHOWN}"
    return f"{aggregated} by ({', '.join(labels)}) (\n{indented(inner)}\n)"


def each(name: str, by: tuple[str, ...] = ()) -> str:
    """Return a family's value for each pipeline chosen."""
    return shown(f"{name}{{{PIPELINE}}}", (*NAMED, *by))


def increase(name: str, window: str, *by: str) -> str:
    """Return how much a counter of the instances chosen rose, by instance and `by`; no replica can make it greater."""
    labels = ", ".join(("feldera_instance", *by))
    return f"max by ({labels}) (increase({name}{{{INSTANCE}}}[{window}]))"


def since(dimension: Dimension) -> str:
    """Return when the present status began, as each replica says it."""
    return f"{family(dimension, '_since_timestamp_seconds')}{{{PIPELINE}}}"


def limit(dimension: Dimension) -> str:
    """Return how long the present status may last where it has a limit, as each replica says it."""
    return f"{family(dimension, '_limit_seconds')}{{{PIPELINE}}} < Inf"


def statuses(dimension: Dimension, more: str = "") -> str:
    """Return 1 for the present status, which is the label `status`, as each replica says it."""
    return f"{family(dimension)}{{{PIPELINE}{more}}} == 1"


def with_status(dimension: Dimension, expression: str) -> str:
    """Return an expression of each pipeline with its present status as label `status`, as each replica says it."""
    return f"({statuses(dimension)}) * ignoring (status) group_left () ({expression})"


def present(dimension: Dimension, more: str = "") -> str:
    """Return 1 for each pipeline's present status, which is the label `status`."""
    return shown(statuses(dimension, more), (*NAMED, "status"))


def code(dimension: Dimension) -> str:
    """Return the place of each pipeline's present status in the vocabulary, one more than the last for any other."""
    return _code(dimension, dimension)


def desired_code(desired: Dimension, actual: Dimension) -> str:
    """Return the code of a desired status in the vocabulary of the actual one, so that both share a colour and a row."""
    return _code(desired, actual)


def _code(dimension: Dimension, vocabulary: Dimension) -> str:
    places = {status: place for place, status in enumerate(vocabulary.statuses)}
    known = list(dimension.statuses)
    coded = [(places[status], f'status="{status}"') for status in known]
    coded.append((len(places), f'status!~"{"|".join(known)}"'))
    terms = (f"{place} * ({statuses(dimension, f', {matcher}')})" for place, matcher in coded)
    return shown("\n  or ".join(terms), NAMED)


def amount(expression: str) -> str:
    """Return how many series an expression has; 0 for none only where something is seen, else nothing."""
    return f"count({expression})\nor 0 * count({UP} == 1)"
