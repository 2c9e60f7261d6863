"""The alerts about the exporter itself and its access to Feldera, in PromQL over the exporter's own metrics.

`feldera_exporter_build_info` marks the targets that are exporters, so that no job name is needed.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

TRUSTED: Final = "feldera:exporter:trusted"
"""The recording rule: the exporters of an instance that can reach Feldera, or all of them if none can."""

_REACHING: Final = "last_over_time(feldera_up[3m]) == 1"
TRUSTED_EXPRESSION: Final = (
    f"{_REACHING}\nor\nlast_over_time(feldera_up[3m]) unless on (feldera_instance) {_REACHING}"
)

_BUILD: Final = "feldera_exporter_build_info"
_TRUSTED_ONLY: Final = f"and on (job, instance, feldera_instance) {TRUSTED}"
_UNREACHABLE: Final = "max by (feldera_instance) (last_over_time(feldera_up[3m])) == 0"
# More than one refused poll: `increase` extrapolates a single one to about 1.05.
_REFUSED: Final = (
    'sum by (feldera_instance) (increase(feldera_exporter_polls_total{outcome="unauthorized"}[5m])) > 1.5'
)
_INSTANCE: Final = ("feldera_instance",)
_TARGET: Final = ("job", "instance")
_EXPORTER: Final = "The exporter {{ $labels.instance }}"
_FELDERA: Final = "Feldera instance {{ $labels.feldera_instance }}"


@dataclass(frozen=True, slots=True)
class ExporterAlert:
    """One alert about the exporter.

    Attributes:
        severity: `critical`, `warning`, `info`, or `none` for the watchdog.
        description: the meaning and what to do first, with Prometheus's templates.
        labels: the labels that distinguish alerts of this name.
        for_: the rule's `for`; empty for none.
    """

    name: str
    severity: str
    expression: str
    summary: str
    description: str
    labels: tuple[str, ...] = ()
    for_: str = ""


_ROWS: Final = (
    ExporterAlert(
        "FelderaExporterAbsent",
        "critical",
        f"absent(last_over_time({_BUILD}[3m]))",
        "No feldera-exporter has answered for five minutes.",
        "Prometheus has scraped no feldera-exporter for five minutes: no alert about Feldera can begin, and those that "
        "fired have ended. Check whether the exporter runs and whether Prometheus scrapes it.",
        for_="2m",
    ),
    ExporterAlert(
        "FelderaExporterDown",
        "warning",
        "max by (job, instance) (up == 0)\n"
        f"unless on (job, instance) last_over_time({_BUILD}[8m])\n"
        f"and on (job, instance) last_over_time({_BUILD}[1d])",
        "A feldera-exporter does not answer.",
        f"{_EXPORTER} has not answered for ten minutes. Check whether it runs: instances that only it watches are not "
        "watched.",
        _TARGET,
        for_="2m",
    ),
    ExporterAlert(
        "FelderaExporterCrashLooping",
        "warning",
        "max by (job, instance) (changes(process_start_time_seconds[1h])) > 3\n"
        f"and on (job, instance) last_over_time({_BUILD}[1h])",
        "A feldera-exporter starts again and again.",
        f"{_EXPORTER} has started at least four times within an hour. Read its log; often it lacks memory.",
        _TARGET,
    ),
    ExporterAlert(
        "FelderaApiAuthFailed",
        "critical",
        f"{_REFUSED}\nand on (feldera_instance) {_UNREACHABLE}",
        "Feldera refuses the exporter's API key.",
        f"{_FELDERA} answers with 401 or 403. Its pipelines are not watched. Check the API key.",
        _INSTANCE,
        for_="1m",
    ),
    ExporterAlert(
        "FelderaApiUnreachable",
        "critical",
        f"{_UNREACHABLE}\nunless on (feldera_instance) {_REFUSED}",
        "Feldera's API cannot be reached.",
        f"{_FELDERA} has not answered any exporter for more than a minute. Its pipelines may run, but are not watched; "
        "their alerts stay as they were. Read the exporter's log for the reason.",
        _INSTANCE,
        for_="1m",
    ),
    ExporterAlert(
        "FelderaExporterDataStale",
        "critical",
        "max by (feldera_instance) (\n"
        f"  last_over_time(feldera_up[6h])\n  unless on (job, instance) last_over_time({_BUILD}[3m])\n"
        ")\nunless on (feldera_instance) last_over_time(feldera_up[3m])",
        "A Feldera instance is no longer watched.",
        f"The exporter that watched {_FELDERA} has not answered for five minutes, and no other one watches that instance. "
        "Check whether the exporter runs and whether Prometheus scrapes it.",
        _INSTANCE,
        for_="2m",
    ),
    ExporterAlert(
        "FelderaEventLogUnread",
        "warning",
        "max by (feldera_instance) (\n"
        f"  last_over_time(feldera_exporter_event_backlog[3m])\n  {_TRUSTED_ONLY}\n) > 0",
        "The event logs of pipelines have not been read for 15 minutes.",
        f"{_FELDERA} has pipelines whose event log the exporter cannot read. Their statuses are right, but crash loops and "
        "flapping are not detected. Read the exporter's log for the reason.",
        _INSTANCE,
        for_="15m",
    ),
    ExporterAlert(
        "FelderaExporterUnknownStatus",
        "warning",
        "max by (feldera_instance, dimension) (increase(feldera_exporter_unknown_status_total[1h])) > 0",
        "Feldera reports a status that the exporter does not know.",
        f"{_FELDERA} reports a value of {{{{ $labels.dimension }}}} that this exporter does not know: no alert covers it. "
        "Upgrade the exporter.",
        ("feldera_instance", "dimension"),
    ),
    ExporterAlert(
        "FelderaExporterUnreadablePipelines",
        "warning",
        "max by (feldera_instance) (\n"
        f"  min_over_time(feldera_exporter_unreadable_pipelines[5m])\n  {_TRUSTED_ONLY}\n) > 0",
        "The exporter cannot read some pipelines.",
        f"{_FELDERA} lists {{{{ $value }}}} pipelines that the exporter cannot read, so it does not watch them. "
        "The exporter's log names them.",
        _INSTANCE,
    ),
    ExporterAlert(
        "FelderaExporterEventGap",
        "info",
        "max by (feldera_instance) (increase(feldera_exporter_event_gaps_total[1d])) > 0",
        "Some transitions of pipelines may not be counted.",
        f"{_FELDERA} discarded events before the exporter read them, or its clock stepped back: counters of transitions, "
        "errors and time may be too low.",
        _INSTANCE,
    ),
    ExporterAlert(
        "FelderaExporterClockSkew",
        "warning",
        "max by (feldera_instance) (abs(last_over_time(feldera_exporter_api_clock_skew_seconds[3m]))) > 30",
        "The clocks of Feldera and the exporter differ.",
        f"The clock of {_FELDERA} and that of its exporter have differed for ten minutes, now by "
        "{{ $value | humanizeDuration }}. Synchronize them.",
        _INSTANCE,
        for_="10m",
    ),
    ExporterAlert(
        "FelderaExporterStoreErrors",
        "warning",
        "max by (job, instance) (increase(feldera_exporter_store_errors_total[15m])) > 0",
        "The exporter cannot write its store.",
        f"{_EXPORTER} fails to write the counters and problems that must survive a restart. Check its volume.",
        _TARGET,
    ),
    ExporterAlert(
        "FelderaExporterConfigReloadFailed",
        "warning",
        "max by (job, instance) (last_over_time(feldera_exporter_config_last_reload_successful[3m])) == 0",
        "The exporter runs with an old configuration.",
        f"{_EXPORTER} refused its configuration at the last reload and still runs with the previous one. Its log names the "
        "mistake.",
        _TARGET,
    ),
    ExporterAlert(
        "FelderaExporterNotificationsFailing",
        "critical",
        "max by (job, instance, alertmanager) (\n"
        "  increase(feldera_exporter_notifications_failed_total[5m]) > 0\n"
        "  or time() - last_over_time(feldera_exporter_alertmanager_last_success_timestamp_seconds[3m]) > 300\n)",
        "The exporter cannot send its alerts to an Alertmanager.",
        f"{_EXPORTER} has not been able to send all alerts to Alertmanager {{{{ $labels.alertmanager }}}} for ten minutes. "
        "Its log says why.",
        (*_TARGET, "alertmanager"),
        for_="10m",
    ),
    ExporterAlert(
        "FelderaWatchdog",
        "none",
        "vector(1)",
        "Always fires: alerting works from the rules to the receiver.",
        "This alert always fires. Send it to a service outside this cluster that notifies you when the alert stops.",
    ),
)

EXPORTER_ALERTS: Final = MappingProxyType({alert.name: alert for alert in _ROWS})
"""The alerts about the exporter by name."""
