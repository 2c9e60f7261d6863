"""The pieces of PromQL that every rule shares: last values, the freshest replica, aggregation, tags, keeping.

Several exporters may watch one Feldera: as replicas, which see the same pipelines, and as shards, which see different
ones. A condition reads the freshest replica alone, because a frozen one would otherwise raise an alert of its own (each
replica by itself) or suppress a true one (each family aggregated by itself). What is known is known for each shard by
itself: one that hears from Feldera says nothing about the pipelines of another.
"""

from typing import Final

from feldera_exporter.rules.model import LABELS, Alert, Scope

JOB: Final = 'job="feldera-exporter"'

GAP: Final = "3m"
"""How long missed scrapes do not matter: a failed scrape marks series stale at once, `last_over_time` reads over it."""

SUCCESS: Final = "feldera_exporter_last_successful_poll_timestamp_seconds"
POLL_INTERVAL: Final = "feldera_exporter_poll_interval_seconds"

EXPORTER_SHARD: Final = "feldera:exporter_shard:info"
HEARD: Final = "feldera:shard_data:heard_timestamp_seconds"
LAG: Final = "feldera:exporter_poll:lag_seconds"
SHARD_BLIND: Final = "feldera:shard_data:blind_seconds"
INSTANCE_BLIND: Final = "feldera:instance_data:blind_seconds"
PIPELINE_BLIND: Final = "feldera:pipeline_data:blind_seconds"
INSTANCE_REPLICA: Final = "feldera:instance_replica:freshest"
PIPELINE_REPLICA: Final = "feldera:pipeline_replica:freshest"
TAGS: Final = "feldera:pipeline_tags:info"
ERROR: Final = "feldera:pipeline_deployment_error:present"
TOLERANCE: Final = "feldera:pipeline_unavailable:limit_seconds"

ON_INSTANCE: Final = "on (feldera_instance)"
ON_SHARD: Final = "on (feldera_instance, shard)"
ON_PIPELINE: Final = "on (feldera_instance, pipeline)"
ON_TARGET: Final = "on (job, instance)"

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
    """Return `expression` of the freshest replica alone, for each thing of the scope; `by` are labels that it adds."""
    return highest(scope, chosen(scope, expression, by), by)


def chosen(scope: Scope, expression: str, by: tuple[str, ...] = ()) -> str:
    """Return the series of `expression` that the freshest replica shows; `by` are the labels that it adds to those.

    The set operator compares all other labels, whatever the scrape configuration adds, and cannot fail on duplicates
    as a join would.
    """
    replica, more = (PIPELINE_REPLICA, ("shard",)) if scope is Scope.PIPELINE else (INSTANCE_REPLICA, ())
    ignored = f" ignoring {listed((*by, *more))}" if by or more else ""
    return f"\n{indented(expression)}\n  and{ignored} {replica}\n"


def newest(recording: str, *by: str) -> str:
    """Return the newest series of a recording for each thing, with the value 1.

    What a Prometheus that was killed has recorded does not end: for the five minutes of its look-back it stands beside
    what the next one records, under other labels where these have changed meanwhile. A join on both would fail, and
    with it the rule, for all pipelines.
    """
    return f"topk by {listed(by)} (1, timestamp({recording})) ^ 0"


def sharded(expression: str, *labels: str) -> str:
    """Return `expression`, which has the labels of its target, with the shard of the target; `labels` are those to add."""
    shard = newest(EXPORTER_SHARD, "job", "instance")
    return f"{expression} * {ON_TARGET} group_left {listed(labels or ('shard',))} {shard}"


def age(dimension: str) -> str:
    """Return the name of the recording of a status dimension's age in seconds, with `status` and the tags as labels."""
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
    known = newest(TAGS, "feldera_instance", "pipeline")
    return f"(\n{indented(condition)}\n) * {ON_PIPELINE} group_left {listed(tags)} {known}"


def kept(alert: Alert, expression: str, tags: tuple[str, ...]) -> str:
    """Return the expression where something is known about its subject, else the alert as it last fired.

    An outage must not resolve an alert, and one that vanishes while it is inhibited would stay open at the receiver.
    Nor does an outage raise one: ages grow on while nobody looks. So Alertmanager need not be told what to hide.
    `ALERTS` without a range is the evaluation before this one (the look-back of five minutes bridges a restart of
    Prometheus), and ends at once when the alert does; a range would raise again what ended just before the outage.
    A kept alert has the value -1.
    """
    subject = ("feldera_instance", "pipeline") if alert.scope is Scope.PIPELINE else alert.labels
    itself = f"-max by {listed(alert.labels + tags)} (\n  {firing(alert.name)}\n)"
    if alert.scope is Scope.EXPORTER:
        # What an exporter says of itself vanishes with it; that is news as long as another one answers.
        now, again = expression, f"{itself} unless on () (max(up{{{JOB}}}) == 1)"
    else:
        blind = {
            Scope.PIPELINE: f"{ON_PIPELINE} {PIPELINE_BLIND}",
            Scope.INSTANCE: f"{ON_INSTANCE} {SHARD_BLIND if alert.adds_up else INSTANCE_BLIND}",
        }[alert.scope]
        now = expression if alert.evident else f"(\n{indented(expression)}\n) unless {blind}"
        again = f"{itself} and {blind}"
    return f"{now}\nor on {listed(subject)} (\n{indented(again)}\n)"


def yielding(alert: Alert, expression: str) -> str:
    """Return the expression without what the graver alert says already, about the same pipeline or instance.

    Here and not by an inhibition: an alert that yields ends, and its receiver is told so.
    """
    subject = tuple(label for label in ("feldera_instance", "pipeline") if label in alert.labels)
    return f"(\n{indented(expression)}\n)\nunless on {listed(subject)} {firing(alert.yields_to)}"


def firing(name: str) -> str:
    """Return the selector of an alert that fires; above it in the table it is of this evaluation, else of the last."""
    return f'ALERTS{{alertname="{name}", alertstate="firing"}}'


def indented(text: str) -> str:
    """Return the text two columns further right."""
    return "\n".join(f"  {line}" for line in text.splitlines())
