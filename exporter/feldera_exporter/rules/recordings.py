"""The recording rules, in the order in which they must be evaluated: each may read those above it."""

from typing import Final

from feldera_exporter.rules.model import Pace, Recording, Scope
from feldera_exporter.rules.promql import (
    BASE_TAGS,
    ERROR,
    EXPORTER_SHARD,
    HEARD,
    INSTANCE_BLIND,
    INSTANCE_REPLICA,
    JOB,
    LAG,
    ON_INSTANCE,
    ON_PIPELINE,
    ON_SHARD,
    ON_TARGET,
    PIPELINE_BLIND,
    PIPELINE_REPLICA,
    POLL_INTERVAL,
    SHARD_BLIND,
    SUCCESS,
    TAGS,
    TOLERANCE,
    age,
    chosen,
    freshest,
    indented,
    last,
    limit,
    listed,
    newest,
    sharded,
    tagged,
)

BLIND_AFTER: Final = 75
"""Seconds without a successful poll after which a shard's pipelines count as unknown: some polls may fail."""

FRESH: Final = "15 + 2.5 * {}"
"""How old what an exporter knows may be, by its poll interval, where that is more: one poll may fail, and a scrape takes
its time."""

PROGRESS: Final = "75s"
"""Within what time an exporter whose clock is wrong must tell of another poll. With a right clock this adds nothing: the
older of two scrapes that differ is then no younger than the newer's poll, so the window closes before `BLIND_AFTER`."""

SILENCE: Final = "2m"
"""After how long an exporter that does not answer counts as knowing nothing: before its pipelines fall out of `GAP`."""

_RELOADED: Final = "feldera_exporter_config_last_reload_success_timestamp_seconds"
_ALL_ANSWER: Final = f"min(up{{{JOB}}} or {ON_TARGET} 0 * max_over_time(up{{{JOB}}}[6h])) == 1"
"""Whether every target answers, those too that were there hours ago: a pod that finds no place is no target at all."""

_BUILD: Final = "feldera_exporter_build_info"
_SHARD: Final = ("feldera_instance", "shard")
_SUBJECT: Final = ("feldera_instance", "pipeline")
"""What identifies a pipeline, whatever it is called."""

_SHARDS: Final = (*_SHARD, "shards")

AGED: Final = {
    "deployment_status": ("", Pace.PROMPT),
    "deployment_resources_status": ('{status="Provisioned"}', Pace.SLOW),
    "program_status": ("", Pace.SLOW),
    "storage_status": ('{status="Clearing"}', Pace.SLOW),
}
"""The dimensions whose present status is recorded with its age, which of the statuses any rule asks for, and how often."""

LIMITED: Final = {
    "deployment_status": Pace.PROMPT,
    "deployment_desired_status": Pace.SLOW,
    "program_status": Pace.SLOW,
    "storage_status": Pace.SLOW,
}
"""The dimensions that have a limit, and how often it is asked for."""


def _age(dimension: str, tags: tuple[str, ...]) -> Recording:
    matcher, pace = AGED[dimension]
    family = f"feldera_pipeline_{dimension}"
    since = last(f"{family}_since_timestamp_seconds")
    present = f"({last(family + matcher)} == 1)\n* ignoring (status) group_left () (time() - {since})"
    return Recording(
        age(dimension),
        tagged(freshest(Scope.PIPELINE, present, ("status",)), tags),
        f"How long each pipeline has been in its present {dimension}.",
        pace,
    )


def _desired() -> Recording:
    dimension = "deployment_desired_status"
    since = last(f"feldera_pipeline_{dimension}_since_timestamp_seconds")
    return Recording(
        age(dimension),
        f"{freshest(Scope.PIPELINE, f'time() - {since}')}\nand {ON_PIPELINE} {limit(dimension)}",
        "How long the same has been asked of each pipeline, where it has a limit.",
        Pace.SLOW,
    )


def _limit(dimension: str) -> Recording:
    family = f"feldera_pipeline_{dimension}_limit_seconds"
    return Recording(
        limit(dimension),
        f"max by {listed(_SUBJECT)} ({chosen(Scope.PIPELINE, f'{last(family)} < Inf')})",
        f"How long each pipeline's present {dimension} may last, where it has a limit.",
        LIMITED[dimension],
    )


def _exporter_shard() -> Recording:
    named = "max by (job, instance, shard) (feldera_exporter_shard_info)"
    counted = f'label_replace({named}, "shards", "$1", "shard", "[0-9]+/([0-9]+)")'
    unnamed = f"max by (job, instance) ({_BUILD})"
    whole = f'label_replace(label_replace({unnamed}, "shard", "0/1", "", ""), "shards", "1", "", "")'
    return Recording(
        EXPORTER_SHARD,
        f"topk by (job, instance) (1, {counted})\n"
        f"or {ON_TARGET} ({newest(EXPORTER_SHARD, 'job', 'instance')} and {ON_TARGET} {last(_BUILD)})\n"
        f"or {ON_TARGET} {whole}",
        "The shard of each exporter, and how many shards it is one of; through missed scrapes as it was. One that names "
        "none watches everything.",
    )


def _heard() -> Recording:
    interval = last(POLL_INTERVAL)
    live = f"({sharded(interval, 'shards')})"
    reloaded = f'label_replace({last(_RELOADED)}, "of", "reload", "", "")'
    started = f"max by (job, instance) ({last(f'process_start_time_seconds{{{JOB}}}')} or {reloaded})"
    tried = sharded(f"(0 * {interval} + {ON_TARGET} group_left () {started})", "shard", "shards")
    return Recording(
        HEARD,
        f"max by {listed(_SHARDS)} ({sharded(last(SUCCESS), 'shard', 'shards')})\n"
        f"or {ON_SHARD} (\n"
        f"  {HEARD}\n    and on (feldera_instance, shards) {live}\n"
        f"  or {HEARD}\n    unless {ON_INSTANCE} {live}\n    unless on () ({_ALL_ANSWER})\n"
        ")\n"
        f"or {ON_SHARD} max by {listed(_SHARDS)} ({tried})",
        "When anything was last heard from each instance by each shard, or since when its exporter has tried in vain: since "
        "it started or was told of the instance. It "
        "is remembered while that shard is missing, however long. It is forgotten when the number of shards has changed, "
        "and when every exporter of the last six hours answers and none knows the instance: then it was taken out of the "
        "configuration.",
    )


def _blind() -> tuple[Recording, ...]:
    success = f"last_over_time({SUCCESS}[{SILENCE}])"
    fresh = (
        f"(time() - {success} <= {FRESH.format(last(POLL_INTERVAL))} or changes({SUCCESS}[{PROGRESS}]) > 0)"
    )
    return (
        Recording(
            SHARD_BLIND,
            f"time() - {HEARD} > {BLIND_AFTER}\nunless {ON_SHARD} (\n{indented(sharded(fresh))}\n)",
            "The shards of which no exporter knows anything at present, and for how long. Other shards that are well say "
            "nothing about their pipelines. An exporter that tells of one poll after another knows, whatever its clock says.",
        ),
        Recording(
            INSTANCE_BLIND,
            f"max by (feldera_instance) ({SHARD_BLIND})\n"
            f"unless {ON_INSTANCE} ({HEARD} unless {ON_SHARD} {SHARD_BLIND})",
            "The instances of which no shard knows anything at present.",
        ),
    )


def _pipeline_replica() -> Recording:
    recent = f"{sharded(last(SUCCESS))}\n  > {ON_SHARD} group_left () ({HEARD} - 300)"
    return Recording(
        PIPELINE_REPLICA,
        "topk by (feldera_instance, pipeline) (1,\n"
        f"  0 * {last('feldera_pipeline_created_timestamp_seconds')}\n"
        "  + ignoring (pipeline, pipeline_name, shard) group_left (shard) (\n"
        f"{indented(indented(recent))}\n"
        "  )\n"
        ")",
        "The replica that heard from each pipeline last. Shards hold different pipelines, hence not one replica for each "
        "instance; one that is five minutes behind another of its shard counts no more, or a deleted pipeline would stay.",
    )


def _pipeline_blind() -> Recording:
    shown = f"{PIPELINE_REPLICA} and {ON_SHARD} {SHARD_BLIND}"
    remembered = f"{PIPELINE_BLIND}\nunless {ON_PIPELINE} {PIPELINE_REPLICA}\nand {ON_SHARD} {SHARD_BLIND}"
    return Recording(
        PIPELINE_BLIND,
        f"max by (feldera_instance, pipeline, shard) ({shown})\nor {ON_PIPELINE} (\n{indented(remembered)}\n)",
        "The pipelines of which nothing is known at present: the last exporter that showed them knows nothing, and no "
        "other one shows them.",
    )


def _tags() -> Recording:
    shown = (
        "topk by (feldera_instance, pipeline) (1,\n"
        f"  feldera_pipeline_info and on (feldera_instance, pipeline, job, instance) {PIPELINE_REPLICA}\n"
        ")"
    )
    return Recording(
        TAGS,
        f"{shown}\n"
        f"or {ON_PIPELINE} ({newest(TAGS, *_SUBJECT)} and {ON_PIPELINE} {PIPELINE_REPLICA})\n"
        f"or {ON_PIPELINE} {PIPELINE_REPLICA} ^ 0",
        "The tags of every pipeline, exactly one series each: through missed scrapes as they were, without info none.",
    )


def _tolerance() -> Recording:
    status = age("deployment_status")
    return Recording(
        TOLERANCE,
        f'{limit("deployment_status")}\n  and {ON_PIPELINE} {status}{{status="Unavailable"}}\n'
        f"or {ON_PIPELINE} (\n"
        f'  {TOLERANCE}\n  and {ON_PIPELINE} {status}{{status!~"Unavailable|Stopping|Stopped"}}\n'
        ")",
        "How long each pipeline may be Unavailable, where that has a limit, from the first time that it is until it is "
        "stopped.",
    )


def recordings(tags: tuple[str, ...] = BASE_TAGS) -> tuple[Recording, ...]:
    """Return all recordings, with `tags` as the tag labels that alerts carry."""
    return (
        _exporter_shard(),
        Recording(
            LAG,
            f"timestamp({SUCCESS}) - {SUCCESS}",
            "How long before each scrape the poll was that it tells of: when was which, by Prometheus's clock and by the "
            "exporter's.",
        ),
        _heard(),
        *_blind(),
        Recording(
            INSTANCE_REPLICA,
            f"topk by (feldera_instance) (1, {last(SUCCESS)})",
            "The replica of the exporter that heard from each instance last.",
        ),
        _pipeline_replica(),
        _pipeline_blind(),
        _tags(),
        Recording(
            ERROR,
            freshest(Scope.PIPELINE, f"{last('feldera_pipeline_deployment_has_error')} == 1"),
            "The pipelines that have a deployment error.",
        ),
        *(_age(dimension, tags) for dimension in AGED),
        *map(_limit, LIMITED),
        _desired(),
        _tolerance(),
    )
