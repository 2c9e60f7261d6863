"""The pieces of PromQL for what needs somebody: what has outlasted its limit, what failed, what an alert fires for."""

from typing import Final

from boards import alerting
from boards.queries import (
    EACH,
    NAMED,
    ON_PIPELINE,
    PIPELINE,
    ages,
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


def _wanted() -> str:
    """Return how long each pipeline has not been as desired, with `not` and the desired status as label."""
    lasting = f"({statuses(DEPLOYMENT_DESIRED)}) * ignoring (status) group_left () (time() - {_differing()})"
    limited = f"({lasting})\nand ignoring (status) ({limit(DEPLOYMENT_DESIRED)})"
    return f'label_replace(\n{indented(limited)},\n  "status", "not $1", "status", "(.+)"\n)'


def lasting() -> str:
    """Return how long each status of each dimension has lasted, as each replica says it."""
    known = [_labelled(ages(dimension), name) for name, dimension in OUTLASTING.items()]
    return "\nor ".join([*known, _labelled(_wanted(), DESIRED)])


def _share(name: str, age: str, dimension: Dimension) -> str:
    # Whatever may last for ever has used nothing of its limit; of that, the deployment alone is worth to be shown.
    bound = (
        f"{family(dimension, '_limit_seconds')}{{{PIPELINE}}}"
        if dimension is DEPLOYMENT
        else limit(dimension)
    )
    return _labelled(f"({age}) / ignoring (status) group_left () ({bound})", name)


def shares() -> str:
    """Return how much of its limit each status of each dimension has used, as each replica says it."""
    known = [_share(name, ages(dimension), dimension) for name, dimension in OUTLASTING.items()]
    return "\nor ".join([*known, _share(DESIRED, _wanted(), DEPLOYMENT_DESIRED)])


def _overdue() -> str:
    """Return how much of its limit everything has used that has outlasted it, as each replica says it."""
    known = [f"(time() - {since(d)}) / ({limit(d)}) > 1" for d in OUTLASTING.values()]
    known.append(f"(time() - {_differing()}) / ({limit(DEPLOYMENT_DESIRED)}) > 1")
    names = (*OUTLASTING, DESIRED)
    return "\nor ".join(_labelled(each, name) for each, name in zip(known, names, strict=True))


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
    """Return how much of its limit the most overdue status of each pipeline has used, with it and its dimension as labels."""
    known = freshest(shares(), (*NAMED, "dimension", "status"))
    return f"topk by ({', '.join(EACH)}) (1,\n{indented(known)}\n)"


def longest() -> str:
    """Return how long that status has lasted."""
    known = freshest(lasting(), (*NAMED, "dimension", "status"))
    return f"({known})\nand on ({', '.join(EACH)}, dimension)\n{most_overdue()}"
