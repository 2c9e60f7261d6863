"""The pieces of PromQL that every rule shares: last values, the freshest replica, aggregation, tags, keeping.

Several exporters may watch one Feldera. A condition reads the freshest replica alone, because a frozen one would
otherwise raise an alert of its own (each replica by itself) or suppress a true one (each family aggregated by itself).
"""

from typing import Final

from feldera_exporter.rules.model import LABELS, Alert, Scope

JOB: Final = 'job="feldera-exporter"'

GAP: Final = "3m"
"""How long missed scrapes do not matter: a failed scrape marks series stale at once, `last_over_time` reads over it."""

INSTANCE_REPLICA: Final = "feldera:instance_replica:freshest"
PIPELINE_REPLICA: Final = "feldera:pipeline_replica:freshest"
DATA_AGE: Final = "feldera:instance_data:age_seconds"
BLIND: Final = "feldera:instance_data:blind"
TAGS: Final = "feldera:pipeline_tags:info"

ON_INSTANCE: Final = "on (feldera_instance)"
ON_PIPELINE: Final = "on (feldera_instance, pipeline)"

BASE_TAGS: Final = ("team", "tier")
"""Tag labels that every pipeline's alert carries, empty where a pipeline has no such tag."""


def listed(labels: tuple[str, ...]) -> str:
    """Return labels as a parenthesised list."""
    return f"({', '.join(labels)})"


def last(selector: str, offset: str = "") -> str:
    """Return the last value of each series of `selector` within `GAP`, through missed scrapes."""
    return f"last_over_time({selector}[{GAP}]{f' offset {offset}' if offset else ''})"


def highest(scope: Scope, expression: str, by: tuple[str, ...] = ()) -> str:
    """Return `expression` over all replicas: the greatest for each thing of the scope.

    For an `increase` this must come last: `max` over the replicas' counters and `increase` after it would take a
    change of replica for a reset.
    """
    return f"max by {listed(LABELS[scope] + by)} ({expression})"


def freshest(scope: Scope, expression: str, by: tuple[str, ...] = ()) -> str:
    """Return `expression` of the freshest replica alone; `by` are the labels that the family adds to the scope's.

    The set operator compares all other labels, whatever the scrape configuration adds, and cannot fail on duplicates
    as a join would.
    """
    replica = PIPELINE_REPLICA if scope is Scope.PIPELINE else INSTANCE_REPLICA
    ignored = f" ignoring {listed(by)}" if by else ""
    return highest(scope, f"\n{indented(expression)}\n  and{ignored} {replica}\n", by)


def age(dimension: str) -> str:
    """Return the name of the recording of a status dimension's age in seconds, which has a label `status`."""
    return f"feldera:pipeline_{dimension}:age_seconds"


def limit(dimension: str) -> str:
    """Return the name of the recording of a status dimension's limit in seconds, absent where there is none."""
    return f"feldera:pipeline_{dimension}:limit_seconds"


def overdue(dimension: str, matcher: str, against: str = "") -> str:
    """Return the ages of the pipelines whose status has outlasted its limit, or the limit of dimension `against`.

    An age needs no `for`: it is right at the boundary, through missed scrapes, new pods and restarts of Prometheus.
    """
    selector = f"{{{matcher}}}" if matcher else ""
    return f"{age(dimension)}{selector}\n> {ON_PIPELINE} group_left () {limit(against or dimension)}"


def tagged(condition: str, tags: tuple[str, ...]) -> str:
    """Return the condition with the pipeline's tags as labels; pipelines that are gone fall out."""
    return f"(\n{indented(condition)}\n) * {ON_PIPELINE} group_left {listed(tags)} {TAGS}"


def kept(alert: Alert, expression: str, tags: tuple[str, ...]) -> str:
    """Return the expression, or the alert as it last fired while nothing can be known about its instance.

    An outage must not resolve an alert, and one that vanishes while it is inhibited would stay open at the receiver.
    `ALERTS` without a range is the evaluation before this one (the look-back of five minutes bridges a restart of
    Prometheus), and ends at once when the alert does; a range would raise again what ended just before the outage.
    A kept alert has the value -1.
    """
    itself = f'ALERTS{{alertname="{alert.name}", alertstate="firing"}}'
    subject = ("feldera_instance", "pipeline") if alert.scope is Scope.PIPELINE else alert.labels
    again = f"-max by {listed(alert.labels + tags)} (\n  {itself}\n) and {ON_INSTANCE} {BLIND}"
    return f"{expression}\nor on {listed(subject)} (\n{indented(again)}\n)"


def indented(text: str) -> str:
    """Return the text two columns further right."""
    return "\n".join(f"  {line}" for line in text.splitlines())
