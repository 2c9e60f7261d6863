"""The alerts about the watching itself: the exporter, its way to Feldera, and that alerting works at all."""

from typing import Final

from feldera_exporter.rules import texts
from feldera_exporter.rules.model import Alert, Scope
from feldera_exporter.rules.promql import (
    HEARD,
    INSTANCE_BLIND,
    JOB,
    LAG,
    ON_INSTANCE,
    ON_SHARD,
    ON_TARGET,
    POLL_INTERVAL,
    SHARD_BLIND,
    SUCCESS,
    firing,
    freshest,
    highest,
    last,
    sharded,
)

_I: Final = Scope.INSTANCE
_E: Final = Scope.EXPORTER
_TARGET_LABELS: Final = ("job", "instance")
_REFUSED: Final = 'increase(feldera_exporter_polls_total{outcome="unauthorized"}[5m])'
_BY: Final = texts.known(" by {{ humanizeDuration $value }}")
_OF_SHARDS: Final = (
    f'{{{{ with printf "{SHARD_BLIND}{{feldera_instance=%q, shards!=\\"1\\"}}" $labels.feldera_instance | query }}}}'
    " (shard{{ range . }} {{ .Labels.shard }}{{ end }}){{ end }}"
)
"""Names the shards that know nothing, where the exporter is sharded."""


def _blind(condition: str) -> str:
    """Return for how long an instance's shards have known nothing for which a condition by shard holds."""
    return f"max by (feldera_instance) (\n  {SHARD_BLIND}\n  and {ON_SHARD} {condition}\n)"


_REFUSES: Final = _blind(f"max by (feldera_instance, shard) ({sharded(_REFUSED)}) > 1.5")
_FAILS: Final = _blind(f"min by (feldera_instance, shard) ({sharded(last('feldera_up'))}) == 0")
_SKEWED: Final = (
    highest(_I, "abs(avg_over_time(feldera_exporter_api_clock_skew_seconds[10m])) > 30"),
    # It polls, and so one of the scrapes is no older than a poll; a scrape is never older than what it tells of.
    highest(_I, f"min_over_time({LAG}[10m]) > 30 + {last(POLL_INTERVAL)} and changes({SUCCESS}[10m]) > 0"),
    highest(_I, f"-max_over_time({LAG}[10m]) > 30"),
)
_FAILED: Final = (
    f"max by (feldera_instance) ({firing('FelderaApiUnreachable')}) and {ON_INSTANCE} {INSTANCE_BLIND}"
)
"""An exporter that goes away meanwhile takes nothing back."""


_UNREAD: Final = (
    f"{sharded(last('feldera_exporter_event_backlog'))}\n"
    f"and on (job, instance, feldera_instance) ({sharded(last(SUCCESS))} == {ON_SHARD} group_left () {HEARD})"
)
"""Each shard reads the logs of its own pipelines; of its replicas the freshest counts."""

_VANISHED: Final = (
    f"max by (job, instance) (max_over_time(up{{{JOB}}}[1h]))\n"
    f"  unless {ON_TARGET} max by (job, instance) (max_over_time(up{{{JOB}}}[10m]))\n"
    f"  and on () (count(up{{{JOB}}}) < quantile_over_time(0.9, count(up{{{JOB}}})[1h:1m]) - 0.5)"
)
"""Targets that service discovery no longer has, where none took their place: a pod that finds no node has no address.
Both are there while one replaces the other, for a few minutes of the hour."""


WATCHING: Final = (
    Alert(
        "FelderaExporterAbsent",
        _E,
        f"absent(max_over_time(up{{{JOB}}}[3m]) == 1)",
        "critical",
        "No feldera-exporter has answered for minutes: alerting about Feldera is blind.",
        "Prometheus has not been able to scrape any target of job feldera-exporter for five minutes. No alert about "
        "pipelines can be raised until that is mended.",
        for_="2m",
        kept=False,
    ),
    Alert(
        "FelderaExporterDown",
        _E,
        f"max by (job, instance) (max_over_time(up{{{JOB}}}[10m])) == 0\nor {_VANISHED}",
        "warning",
        "A replica or shard of the exporter does not answer.",
        f"{texts.EXPORTER} has not answered for ten minutes, or is no target any more. If it is a shard, its pipelines are unwatched; if a replica, the "
        "other must not fail now.",
        by=_TARGET_LABELS,
    ),
    Alert(
        "FelderaExporterCrashLooping",
        _E,
        f"max by (job, instance) (changes(up{{{JOB}}}[1h])) > 6.5\n"
        f"or {ON_TARGET} max by (job, instance) (changes(process_start_time_seconds{{{JOB}}}[1h])) > 3.5",
        "warning",
        "The exporter starts or fails to answer again and again.",
        f"{texts.EXPORTER} was gone or started anew four times within an hour or more. What it watches is known now and then "
        "only, and alerts about it come late.",
        by=_TARGET_LABELS,
    ),
    Alert(
        "FelderaApiAuthFailed",
        _I,
        _REFUSES,
        "critical",
        "Feldera refuses the exporter's credentials.",
        f"{texts.INSTANCE}{_OF_SHARDS} answers the exporter's polls with 401 or 403, and none succeeds. Its pipelines are "
        "unwatched.",
        kept=False,
    ),
    Alert(
        "FelderaApiUnreachable",
        _I,
        f"{_FAILS}\nor {ON_INSTANCE} ({_FAILED})",
        "critical",
        "Feldera's API cannot be reached.",
        f"{texts.INSTANCE}{_OF_SHARDS} has not given the exporter a usable answer for more than a minute. Pipelines may "
        "still run, but are unwatched.",
        kept=False,
        yields_to="FelderaApiAuthFailed",
    ),
    Alert(
        "FelderaExporterDataStale",
        _I,
        f"max by (feldera_instance) ({SHARD_BLIND}) > 300",
        "critical",
        "What is known about a Feldera instance is out of date.",
        f"{texts.INSTANCE}{_OF_SHARDS} was last polled successfully {{{{ humanizeDuration $value }}}} ago.",
        kept=False,
    ),
    Alert(
        "FelderaExporterUnknownStatus",
        _I,
        f"{highest(_I, 'increase(feldera_exporter_unknown_status_total[1h])', ('dimension',))} > 0",
        "warning",
        "Feldera reports a status that the exporter does not know.",
        f"{texts.INSTANCE} reports a value of {{{{ $labels.dimension }}}} that this exporter does not know; rules may not "
        "cover it.",
        by=("dimension",),
    ),
    Alert(
        "FelderaExporterUnreadablePipelines",
        _I,
        freshest(_I, "min_over_time(feldera_exporter_unreadable_pipelines[5m])") + " > 0",
        "warning",
        "The exporter cannot read some pipelines.",
        f"{texts.INSTANCE} lists{texts.COUNT} pipelines whose entries are not what "
        "Feldera promises. What befalls them is not seen.",
    ),
    Alert(
        "FelderaExporterEventGap",
        _I,
        f"{highest(_I, 'increase(feldera_exporter_event_gaps_total[1h])')} > 0",
        "info",
        "Some transitions of pipelines were not counted.",
        f"{texts.INSTANCE} had discarded events before the exporter read them; counters of transitions, errors and time may "
        "be too low.",
    ),
    Alert(
        "FelderaEventLogUnread",
        _I,
        f"{highest(_I, _UNREAD)} > 0",
        "warning",
        "The event logs of pipelines have not been read for a quarter of an hour.",
        f"{texts.INSTANCE} has{texts.COUNT} pipelines whose event log the exporter cannot read. Their statuses are right, but "
        "crash loops, flapping and short absences are not noticed.",
        for_="15m",
    ),
    Alert(
        "FelderaExporterClockSkew",
        _I,
        f"\nor {ON_INSTANCE} ".join(_SKEWED),
        "warning",
        "The clocks of Feldera, the exporter and Prometheus disagree.",
        f"{texts.INSTANCE}, its exporter and Prometheus disagree about the time{_BY}; every age that alerts compare may be "
        "wrong by that much.",
        evident=True,
    ),
    Alert(
        "FelderaExporterStoreErrors",
        _E,
        "max by (job, instance) (increase(feldera_exporter_store_errors_total[15m])) > 0",
        "warning",
        "The exporter cannot keep its state on disk.",
        f"{texts.EXPORTER} fails to write what must survive a restart; after one, counters will start again.",
        by=_TARGET_LABELS,
    ),
    Alert(
        "FelderaExporterConfigReloadFailed",
        _E,
        f"max by (job, instance) ({last('feldera_exporter_config_last_reload_successful')}) == 0",
        "warning",
        "The exporter runs with an old configuration.",
        f"{texts.EXPORTER} refused its configuration at the last reload and goes on with the one before.",
        by=_TARGET_LABELS,
    ),
    Alert(
        "FelderaWatchdog",
        _E,
        "vector(1)",
        "none",
        "Always fires: alerting works from the rules to the receiver.",
        "This alert is always firing. Let something outside complain when it stops arriving.",
        kept=False,
    ),
)
