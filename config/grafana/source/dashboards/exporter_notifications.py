"""What the exporter itself sends to Alertmanager: a row of the exporter's dashboard."""

from dashboards.board import SizedPanel
from dashboards.colours import BAD, GOOD, NEEDS_PERSON
from dashboards.mappings import NEVER
from dashboards.panels import Display, Query, known, stat, timeseries
from dashboards.replicas import PROCESS, quantile

_NONE = "no Alertmanager is configured"


def notifications() -> tuple[SizedPanel, ...]:
    """Return the row, which is empty where Prometheus sends the alerts."""
    last = f"max by (job, instance, alertmanager) (feldera_exporter_alertmanager_last_success_timestamp_seconds{{{PROCESS}}})"
    return (
        SizedPanel(
            timeseries(
                "Alerts sent",
                "How many alerts each Alertmanager accepted, and how many it did not; firing ones are sent again every minute.",
                (
                    Query(_increase("sent"), "{{instance}}: accepted by {{alertmanager}}"),
                    Query(_increase("failed"), "{{instance}}: not accepted by {{alertmanager}}"),
                ),
                Display(decimals=0, minimum=0, no_value=_NONE),
            ),
            8, 7,
        ),
        SizedPanel(
            stat(
                "Last success",
                "How long ago each Alertmanager last accepted alerts.",
                (Query(f"time() - {last}", "{{instance}}: {{alertmanager}}"),),
                Display(
                    unit="s",
                    decimals=0,
                    no_value=_NONE,
                    mappings=NEVER,
                    thresholds=known(GOOD, (180.0, NEEDS_PERSON), (600.0, BAD)),
                ),
            ),
            8, 7,
        ),
        SizedPanel(
            timeseries(
                "Delay of notifications",
                "From the poll that saw a problem begin until an Alertmanager accepted it; and of one successful request.",
                (
                    Query(_p95("notification_delay_seconds"), "{{instance}}: problem, p95"),
                    Query(_p95("notification_latency_seconds", "alertmanager"), "{{instance}}: {{alertmanager}}, p95"),
                ),
                Display(unit="s", minimum=0, no_value=_NONE),
            ),
            8, 7,
        ),
    )  # fmt: skip


def _increase(what: str) -> str:
    sent = f"feldera_exporter_notifications_{what}_total{{{PROCESS}}}"
    return f"sum by (job, instance, alertmanager) (increase({sent}[$__rate_interval]))"


def _p95(name: str, *by: str) -> str:
    return f"{quantile(0.95, name, *by, matchers=PROCESS)} >= 0"
