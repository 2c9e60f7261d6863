"""The recording rules, in the order in which they must be evaluated: each may read those above it."""

from typing import Final

from feldera_exporter.rules.model import Recording, Scope
from feldera_exporter.rules.promql import (
    BASE_TAGS,
    BLIND,
    DATA_AGE,
    GAP,
    INSTANCE_REPLICA,
    JOB,
    ON_INSTANCE,
    ON_PIPELINE,
    PIPELINE_REPLICA,
    TAGS,
    age,
    freshest,
    indented,
    last,
    limit,
    listed,
)

BLIND_AFTER: Final = 75
"""Seconds without a successful poll after which an instance's pipelines count as unknown: some polls may fail."""

_SUCCESS: Final = "feldera_exporter_last_successful_poll_timestamp_seconds"
_INTERVAL: Final = "feldera_exporter_poll_interval_seconds"
_PIPELINE: Final = "(pipeline, pipeline_name)"

AGED: Final = {
    "deployment_status": "",
    "deployment_resources_status": '{status="Provisioned"}',
    "program_status": "",
    "storage_status": "",
}
"""The dimensions whose present status is recorded with its age, and which of the statuses any rule asks for."""

LIMITED: Final = ("deployment_status", "deployment_desired_status", "program_status", "storage_status")
"""The dimensions that have a limit."""


def _age(dimension: str, matcher: str) -> Recording:
    family = f"feldera_pipeline_{dimension}"
    since = last(f"{family}_since_timestamp_seconds")
    present = f"({last(family + matcher)} == 1)\n* ignoring (status) group_left () (time() - {since})"
    return Recording(
        age(dimension),
        freshest(Scope.PIPELINE, present, ("status",)),
        f"How long each pipeline has been in its present {dimension}.",
    )


def _desired() -> Recording:
    dimension = "deployment_desired_status"
    since = last(f"feldera_pipeline_{dimension}_since_timestamp_seconds")
    return Recording(
        age(dimension),
        freshest(Scope.PIPELINE, f"time() - {since}"),
        "How long the same has been asked of each pipeline, whatever that is.",
    )


def _limit(dimension: str) -> Recording:
    return Recording(
        limit(dimension),
        freshest(Scope.PIPELINE, f"{last(f'feldera_pipeline_{dimension}_limit_seconds')} < Inf"),
        f"How long each pipeline's present {dimension} may last, where it has a limit.",
    )


def _tags(tags: tuple[str, ...]) -> Recording:
    seen = f"max_over_time(timestamp(feldera_pipeline_info)[{GAP}:15s])"
    replica = f"on (feldera_instance, pipeline, job, instance) {PIPELINE_REPLICA}"
    labels = listed(("feldera_instance", "pipeline", *tags))
    newest = (
        "topk by (feldera_instance, pipeline) (1,\n"
        f"  max by {labels} (\n    {seen}\n    and {replica}\n  )\n)"
    )
    bare = f"group by (feldera_instance, pipeline) ({PIPELINE_REPLICA})"
    return Recording(
        TAGS,
        f"group by {labels} (\n{indented(newest)}\n)\nor {ON_PIPELINE} {bare}",
        "The tags of every pipeline, exactly one series each: after a change of tags the newest alone, without info none.",
    )


def recordings(tags: tuple[str, ...] = BASE_TAGS) -> tuple[Recording, ...]:
    """Return all recordings, with `tags` as the tag labels that alerts carry."""
    return (
        Recording(
            INSTANCE_REPLICA,
            f"topk by (feldera_instance) (1, {last(_SUCCESS)})",
            "The replica of the exporter that heard from each instance last.",
        ),
        Recording(
            PIPELINE_REPLICA,
            "topk by (feldera_instance, pipeline) (1,\n"
            f"  0 * {last('feldera_pipeline_created_timestamp_seconds')}\n"
            f"  + ignoring {_PIPELINE} group_left ()\n"
            f"    ({last(_SUCCESS)}\n"
            f"      > {ON_INSTANCE} group_left () (max by (feldera_instance) ({INSTANCE_REPLICA}) - 300))\n"
            ")",
            "The replica that heard from each pipeline last. Shards hold different pipelines, hence not one replica "
            "for each instance; one that is five minutes behind counts no more, or a deleted pipeline would stay.",
        ),
        Recording(
            DATA_AGE,
            f"time() - max by (feldera_instance) (last_over_time({_SUCCESS}[12h]))\n"
            f"or {ON_INSTANCE}\n"
            "time() - max by (feldera_instance) (\n"
            f"  0 * {last(_INTERVAL)} + on (job, instance) group_left ()\n"
            f"    max by (job, instance) ({last(f'process_start_time_seconds{{{JOB}}}')})\n"
            ")",
            "How long ago anything was heard from each instance, or since when an exporter has tried in vain.",
        ),
        Recording(
            BLIND,
            f"{DATA_AGE} > {BLIND_AFTER}\n"
            f"unless {ON_INSTANCE} (\n"
            f"  ({DATA_AGE}\n    unless {ON_INSTANCE} last_over_time({_INTERVAL}[5m]))\n"
            f"  and on () (min(up{{{JOB}}}) == 1)\n"
            ")",
            "The instances of which nothing is known at present. Not those that every exporter answers without: they "
            "were taken out of the configuration.",
        ),
        _tags((*tags, "expect")),
        *map(_age, AGED.keys(), AGED.values()),
        _desired(),
        *map(_limit, LIMITED),
    )
