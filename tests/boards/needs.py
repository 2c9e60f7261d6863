"""The pieces of PromQL for what needs somebody: what has outlasted its limit, what failed, what an alert fires for."""

from collections.abc import Mapping
from typing import Final

from boards import alerting
from boards.queries import (
    EACH,
    NAMED,
    ON_PIPELINE,
    PIPELINE,
    failing,
    family,
    freshest,
    indented,
    limit,
    of_kind,
    since,
    statuses,
)
from feldera_exporter.feldera.vocabulary import (
    DEPLOYMENT,
    DEPLOYMENT_DESIRED,
    PROGRAM,
    STORAGE,
    Dimension,
    Kind,
)

MOST: Final = 50
"""How many pipelines a table shows: nobody reads more."""

OUTLASTING: Final = {"deployment": DEPLOYMENT, "program": PROGRAM, "storage": STORAGE}
"""What may outlast its limit by itself; what is desired is compared with the actual."""
DESIRED: Final = "desired"

_DIFFERING: Final = (DEPLOYMENT, DEPLOYMENT_DESIRED, PROGRAM)
"""What may end an agreement of desired and actual: the difference begins with the newest of them."""


def _labelled(expression: str, name: str) -> str:
    return f'label_replace(\n{indented(expression)},\n  "dimension", "{name}", "", ""\n)'


def _differing() -> str:
    """Return since when the desired and the actual status have been as they are, as each replica says it."""
    names = "|".join(family(dimension, "_since_timestamp_seconds") for dimension in _DIFFERING)
    return f'max without () ({{__name__=~"{names}", {PIPELINE}}})'


def _lasted() -> dict[str, tuple[str, Dimension]]:
    """Return by dimension how long its present status has lasted, as each replica says it, and whose limit counts."""
    known = {name: (f"time() - {since(dimension)}", dimension) for name, dimension in OUTLASTING.items()}
    return known | {DESIRED: (f"time() - {_differing()}", DEPLOYMENT_DESIRED)}


def _lasting() -> str:
    return _either({name: age for name, (age, _) in _lasted().items()})


def shares() -> str:
    """Return how much of its limit the present status of each dimension has used, as each replica says it."""

    def bound(dimension: Dimension) -> str:
        # Whatever may last for ever has used nothing of its limit; of that, the deployment alone is worth to be shown.
        endless = f"{family(dimension, '_limit_seconds')}{{{PIPELINE}}}"
        return endless if dimension is DEPLOYMENT else f"({limit(dimension)})"

    return _either({name: f"({age}) / {bound(dimension)}" for name, (age, dimension) in _lasted().items()})


def _names() -> str:
    """Return 1 for the present status of each dimension; what is desired and not the case reads `not` and its name."""
    wanted = f'label_replace({statuses(DEPLOYMENT_DESIRED)}, "status", "not $1", "status", "(.+)")'
    return _either({name: statuses(dimension) for name, dimension in OUTLASTING.items()} | {DESIRED: wanted})


def _either(expressions: Mapping[str, str]) -> str:
    """Return all of them, each with its name as label `dimension`."""
    return "\nor ".join(_labelled(expression, name) for name, expression in expressions.items())


def _overdue() -> str:
    return f"(\n{indented(shares())}\n) > 1"


def stuck() -> str:
    """Return the pipelines in which anything has outlasted its limit, with how much of it has passed."""
    return freshest(_overdue())


def failed() -> str:
    """Return the pipelines that have an error."""
    return freshest(failing())


def waiting() -> str:
    """Return the pipelines that wait for a person."""
    return freshest(of_kind(DEPLOYMENT, Kind.NEEDS_PERSON))


def need() -> str:
    """Return every pipeline that needs somebody, with how urgently.

    An alert that calls somebody is worth a thousand for each step of its severity; then comes how much of its limit the
    most overdue status has used. An error, and a status that is bad or needs a person, are there with nothing more.
    """
    conditions = [
        f"clamp_max(\n{indented(_overdue())},\n  999\n)",
        *(
            f"0 * ({condition})"
            for condition in (
                failing(),
                of_kind(DEPLOYMENT, Kind.BAD, Kind.NEEDS_PERSON),
                of_kind(PROGRAM, Kind.BAD),
            )
        ),
    ]
    seen = freshest("\nor ".join(conditions))
    alert = f'label_replace(\n{indented(f"1000 * {alerting.urgency()}")},\n  "because", "alert", "", ""\n)'
    return f"sum by (feldera_instance, pipeline) (\n{indented(alert)}\n  or\n{indented(seen)}\n)"


def worst() -> str:
    """Return those of them that are shown, the most urgent ones."""
    return f"topk({MOST},\n{indented(need())}\n)"


def of_worst(expression: str) -> str:
    """Return of an expression what is about pipelines that are shown."""
    return f"({expression})\nand {ON_PIPELINE}\n{worst()}"


def most_overdue() -> str:
    """Return the dimension of each pipeline that has used most of its limit, and how much that is."""
    known = freshest(shares(), (*NAMED, "dimension"))
    return f"topk by ({', '.join(EACH)}) (1,\n{indented(known)}\n)"


def _of_most_overdue(expression: str) -> str:
    return f"({expression})\nand on ({', '.join(EACH)}, dimension)\n{most_overdue()}"


def longest() -> str:
    """Return how long the present status of that dimension has lasted."""
    return _of_most_overdue(freshest(_lasting(), (*NAMED, "dimension")))


def status() -> str:
    """Return the name of that status as a label."""
    return _of_most_overdue(freshest(_names(), (*NAMED, "dimension", "status")))
