"""The replicas, their scrapes and their processes: rows of the exporter's dashboard."""

from dashboards import links
from dashboards.board import SizedPanel
from dashboards.colours import BAD, GOOD, NEEDS_PERSON
from dashboards.mappings import severity_names, yes_no
from dashboards.panels import Display, Json, Query, known, stat, timeline, timeseries
from dashboards.replicas import OF, PROCESS, of_each, quantile
from dashboards.shared import DATA_AGE
from dashboards.tables import Column, table
from feldera_exporter.rules.exporter_alerts import EXPORTER_ALERTS


def now() -> tuple[SizedPanel, ...]:
    """Return the row of the present state."""
    up = f"max by (job, instance) (up{{{PROCESS}}})"
    return (
        SizedPanel(
            timeline(
                "Replicas",
                "Whether Prometheus reaches each replica of the exporter.",
                (Query(up, "{{instance}}"),),
                Display(mappings=yes_no("up", "down")),
            ),
            10, 6,
        ),
        SizedPanel(
            stat(
                "Data age",
                "How long ago Feldera last answered each replica.",
                (Query(f"time() - {of_each('last_successful_poll_timestamp_seconds')}", OF),),
                Display(unit="s", decimals=0, thresholds=DATA_AGE),
            ),
            5, 6,
        ),
        SizedPanel(
            stat(
                "Configuration",
                "Whether the last reload of the configuration succeeded. If not, the previous configuration is in use.",
                (Query(f"min by (job, instance) (feldera_exporter_config_last_reload_successful{{{PROCESS}}})", "{{instance}}"),),
                Display(mappings=yes_no("loaded", "refused"), thresholds=known(BAD, (1.0, GOOD))),
            ),
            4, 6,
        ),
        SizedPanel(
            table(
                "Versions",
                "The versions of exporter and Python, how long the process has run, and how long with this configuration.",
                (
                    Query(f"max by (job, instance, version, python_version) (feldera_exporter_build_info{{{PROCESS}}})", "Version"),
                    Query(f"time() - max by (job, instance) (process_start_time_seconds{{{PROCESS}}})", "Up for"),
                    Query(f"time() - max by (job, instance) (feldera_exporter_config_last_reload_success_timestamp_seconds{{{PROCESS}}})", "Configured for"),
                ),
                (
                    Column("Replica", "instance"),
                    Column("Version", "version"),
                    Column("Python", "python_version"),
                    Column("Up for", "Value #B", unit="s"),
                    Column("Configured for", "Value #C", unit="s"),
                ),
            ),
            5, 6,
        ),
        SizedPanel(_alerts(), 24, 6),
    )  # fmt: skip


def _alerts() -> Json:
    names = "|".join(alert.name for alert in EXPORTER_ALERTS.values() if alert.severity != "none")
    labels = sorted({label for alert in EXPORTER_ALERTS.values() for label in alert.labels} - {"job"})
    firing = f'ALERTS{{alertname=~"{names}", alertstate="firing"}}'
    return table(
        "Alerts about the exporter",
        "The firing alerts of the shipped rules about exporters and their access to Feldera; the selection above does not "
        "matter. An alert links to its runbook. Empty if the rules are not loaded.",
        (Query(f"max by (alertname, severity, {', '.join(labels)}) ({firing})", "Alert"),),
        (
            Column("Severity", "severity", mappings=severity_names(), cell="color-background"),
            Column("Alert", "alertname", links={"Runbook": links.RUNBOOK}),
            Column("Instance", "feldera_instance"),
            Column("Replica", "instance"),
            Column("Dimension", "dimension"),
            Column("Alertmanager", "alertmanager"),
        ),
        display=Display(unit="none", no_value="no alert fires"),
    )


def scrapes() -> tuple[SizedPanel, ...]:
    """Return the row of the scrapes."""
    size = f"max by (job, instance, format) (feldera_exporter_exposition_bytes{{{PROCESS}}})"
    scraped = f"max by (job, instance) (scrape_samples_scraped{{{PROCESS}}})"
    took = f"max by (job, instance) (scrape_duration_seconds{{{PROCESS}}})"
    return (
        SizedPanel(
            timeseries(
                "Series",
                "Samples about Feldera, and all samples of a scrape.",
                (
                    Query(f"max by (job, instance) (feldera_exporter_series{{{PROCESS}}})", "{{instance}}: about Feldera"),
                    Query(scraped, "{{instance}}: scraped"),
                ),
                Display(decimals=0, minimum=0),
            ),
            8, 8,
        ),
        SizedPanel(
            timeseries(
                "Size of the exposition",
                "Uncompressed, by format.",
                (Query(size, "{{instance}}: {{format}}"),),
                Display(unit="bytes", minimum=0),
            ),
            8, 8,
        ),
        SizedPanel(
            timeseries(
                "Duration of scrapes",
                "As Prometheus measures it, and the part for rendering.",
                (
                    Query(took, "{{instance}}: scrape"),
                    Query(quantile(0.95, "render_duration_seconds", matchers=PROCESS), "{{instance}}: rendering, p95"),
                ),
                Display(unit="s", minimum=0),
            ),
            8, 8,
        ),
    )  # fmt: skip


def process() -> tuple[SizedPanel, ...]:
    """Return the row of the process."""
    files = f"max by (job, instance) (process_open_fds{{{PROCESS}}} / process_max_fds{{{PROCESS}}})"
    return (
        SizedPanel(
            timeseries(
                "Processor",
                "Share of one core.",
                (Query(f"sum by (job, instance) (rate(process_cpu_seconds_total{{{PROCESS}}}[$__rate_interval]))", "{{instance}}"),),
                Display(unit="percentunit", minimum=0),
            ),
            8, 7,
        ),
        SizedPanel(
            timeseries(
                "Memory",
                "Resident memory.",
                (Query(f"max by (job, instance) (process_resident_memory_bytes{{{PROCESS}}})", "{{instance}}"),),
                Display(unit="bytes", minimum=0),
            ),
            8, 7,
        ),
        SizedPanel(
            timeseries(
                "Open files",
                "Share of the files that the process may open.",
                (Query(files, "{{instance}}"),),
                Display(unit="percentunit", minimum=0, thresholds=((None, GOOD), (0.8, NEEDS_PERSON), (0.95, BAD))),
            ),
            8, 7,
        ),
    )  # fmt: skip
