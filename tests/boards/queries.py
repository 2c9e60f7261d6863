"""The pieces of PromQL that the boards share: one answer for each thing, however many replicas watch it.

The boards read what the exporter exposes and no recording, so that they work where the rules are not loaded. Where the
alerts are shown, those of the rules are.

As in the rules, only the replica that heard from a pipeline last is asked about it: of two that are aggregated family by
family, a frozen one could hide a trouble or show one that is over.
"""

from typing import Final

from boards.shards import of_shards
from feldera_exporter.feldera.vocabulary import Dimension, Kind

INSTANCE: Final = 'feldera_instance=~"$feldera_instance"'
PIPELINE: Final = f'{INSTANCE}, pipeline=~"$pipeline"'
ON_INSTANCE: Final = "on (feldera_instance)"
ON_PIPELINE: Final = "on (feldera_instance, pipeline)"
EACH: Final = ("feldera_instance", "pipeline")
NAMED: Final = (*EACH, "pipeline_name")

TAGGED: Final = f'feldera_pipeline_info{{{PIPELINE}, team=~"$team", tier=~"$tier"}}'

_HEARD: Final = f"feldera_exporter_last_successful_poll_timestamp_seconds{{{INSTANCE}}}"
_OF_REPLICA: Final = "on (feldera_instance, pipeline, job, instance)"

SHOWN: Final = f"""(
  topk by (feldera_instance, pipeline) (1,
    0 * feldera_pipeline_created_timestamp_seconds{{{PIPELINE}}}
    + ignoring (pipeline, pipeline_name) group_left ()
      ({_HEARD} > {ON_INSTANCE} group_left () (max by (feldera_instance) ({_HEARD}) - 300))
  )
  and {_OF_REPLICA} {TAGGED}
)"""
"""The pipelines chosen, each with the replica that heard of it last; the rules' `feldera:pipeline_replica:freshest`."""


def indented(text: str) -> str:
    """Return the text two columns further right."""
    return "\n".join(f"  {line}" for line in text.splitlines())


def family(dimension: Dimension, ending: str = "") -> str:
    """Return the name of a family of a dimension."""
    return f"feldera_pipeline_{dimension.name}{ending}"


def freshest(expression: str, labels: tuple[str, ...] = EACH) -> str:
    """Return what the freshest replica of each pipeline chosen says, by these labels alone."""
    inner = f"({expression})\nand {_OF_REPLICA} {SHOWN}"
    return f"max by ({', '.join(labels)}) (\n{indented(inner)}\n)"


def each(name: str, by: tuple[str, ...] = ()) -> str:
    """Return a family's value for each pipeline chosen."""
    return freshest(f"{name}{{{PIPELINE}}}", (*NAMED, *by))


def chosen(counted: str) -> str:
    """Return of something counted, which no frozen replica can make greater, the pipelines chosen."""
    return f"({counted})\nand {ON_PIPELINE} {SHOWN}"


def instance(name: str, by: tuple[str, ...] = ()) -> str:
    """Return what the freshest replica says of each instance chosen."""
    replica = f"on (feldera_instance, job, instance) topk by (feldera_instance) (1, {_HEARD})"
    return f"max by ({', '.join(('feldera_instance', *by))}) (\n  {name}{{{INSTANCE}}}\n  and {replica}\n)"


def heard() -> str:
    """Return when each instance chosen last answered, by the shard that has waited longest."""
    return f"min by (feldera_instance) (\n  max by (feldera_instance, shard) ({of_shards(_HEARD)})\n)"


def up() -> str:
    """Return whether each instance chosen answers every shard; the freshest replica of each shard knows."""
    said = f"feldera_up{{{INSTANCE}}}"
    replica = f"topk by (feldera_instance, shard) (1, {of_shards(_HEARD)})"
    # One that has never answered was never heard.
    return (
        f"min by (feldera_instance) (\n  {said}\n  and on (feldera_instance, job, instance)\n{indented(replica)}\n)\n"
        f"or {ON_INSTANCE} max by (feldera_instance) ({said})"
    )


def since(dimension: Dimension) -> str:
    """Return a family's beginning of the present status, as each replica says it."""
    return f"{family(dimension, '_since_timestamp_seconds')}{{{PIPELINE}}}"


def limit(dimension: Dimension) -> str:
    """Return how long the present status may last where it has a limit, as each replica says it."""
    return f"{family(dimension, '_limit_seconds')}{{{PIPELINE}}} < Inf"


def statuses(dimension: Dimension, more: str = "") -> str:
    """Return 1 for the present status, which is the label `status`, as each replica says it."""
    return f"{family(dimension)}{{{PIPELINE}{more}}} == 1"


def ages(dimension: Dimension) -> str:
    """Return how long the present status has lasted, with it as label, as each replica says it."""
    return f"({statuses(dimension)}) * ignoring (status) group_left () (time() - {since(dimension)})"


def present(dimension: Dimension, more: str = "") -> str:
    """Return 1 for each pipeline's present status, which is the label `status`."""
    return freshest(statuses(dimension, more), (*NAMED, "status"))


def age(dimension: Dimension) -> str:
    """Return how long each pipeline has been in its present status, which is the label `status`."""
    return freshest(ages(dimension), (*NAMED, "status"))


def code(dimension: Dimension) -> str:
    """Return the place of each pipeline's present status in the vocabulary, one more than the last for any other."""
    return _code(dimension, list(dimension.statuses), dimension)


def desired_code(desired: Dimension, actual: Dimension) -> str:
    """Return the code of a desired status in the vocabulary of the actual one, so that both share a colour and a row."""
    return _code(desired, list(desired.statuses), actual)


def _code(dimension: Dimension, known: list[str], vocabulary: Dimension) -> str:
    places = {status: place for place, status in enumerate(vocabulary.statuses)}
    coded = [(places[status], f'status="{status}"') for status in known]
    coded.append((len(places), f'status!~"{"|".join(known)}"'))
    terms = (f"{place} * ({statuses(dimension, f', {matcher}')})" for place, matcher in coded)
    return freshest("\n  or ".join(terms), NAMED)


def of_kind(dimension: Dimension, *kinds: Kind) -> str:
    """Return 1 for a present status of one of these kinds, as each replica says it."""
    wanted = "|".join(status for status, kind in dimension.statuses.items() if kind in kinds)
    return statuses(dimension, f', status=~"{wanted}"')


def failing() -> str:
    """Return 1 for an error, as each replica says it."""
    return f"feldera_pipeline_deployment_has_error{{{PIPELINE}}} == 1"


def amount(expression: str) -> str:
    """Return how many series an expression has; 0 for none only where something is seen, else nothing."""
    return f"count({expression})\nor 0 * count(({up()}) == 1)"
