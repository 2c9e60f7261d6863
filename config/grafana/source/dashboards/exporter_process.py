"""How the exporter is itself: rows of its board."""

from dashboards import links
from dashboards.board import Place
from dashboards.colours import BAD, GOOD, NEEDS_PERSON
from dashboards.mappings import severity_names, yes_no
from dashboards.panels import Json, Look, Query, known, stat, timeline, timeseries
from dashboards.replicas import OF, PROCESS, of_each, quantile
from dashboards.shared import DATA_AGE
from dashboards.tables import Column, table
from feldera_exporter.rules.exporter_alerts import EXPORTER_ALERTS


def now() -> tuple[Place, ...]:
    """Return the row of what is the case now."""
    up = f"max by (job, instance) (up{{{PROCESS}}})"
    return (
        Place(
            timeline(
                "Replicas",
                "Whether Prometheus reaches each replica of the exporter.",
                (Query(up, "{{instance}}"),),
                Look(mappings=yes_no("up", "down")),
            ),
            10, 6,
        ),
        Place(
            stat(
                "Data age",
                "How long ago Feldera last answered each replica.",
                (Query(f"time() - {of_each('last_successful_poll_timestamp_seconds')}", OF),),
                Look(unit="s", decimals=0, thresholds=DATA_AGE),
            ),
            5, 6,
        ),
        Place(
            stat(
                "Configuration",
                "Whether the last load of the configuration succeeded; if not, the one before is in force.",
                (Query(f"min by (job, instance) (feldera_exporter_config_last_reload_successful{{{PROCESS}}})", "{{instance}}"),),
                Look(mappings=yes_no("loaded", "refused"), thresholds=known(BAD, (1.0, GOOD))),
            ),
            4, 6,
        ),
        Place(
            table(
                "Versions",
                "Which exporter runs on which Python, since when, and for how long with this configuration.",
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
        Place(_alerts(), 24, 6),
    )  # fmt: skip


def _alerts() -> Json:
    names = "|".join(alert.name for alert in EXPORTER_ALERTS.values() if alert.severity != "none")
    labels = sorted({label for alert in EXPORTER_ALERTS.values() for label in alert.labels} - {"job"})
    firing = f'ALERTS{{alertname=~"{names}", alertstate="firing"}}'
    return table(
        "Alerts about the exporter",
        "What the shipped rules say at present about the exporters and their way to Feldera, whatever is chosen above. A click "
        "on an alert opens its runbook. Empty where the rules are not loaded.",
        (Query(f"max by (alertname, severity, {', '.join(labels)}) ({firing})", "Alert"),),
        (
            Column("Severity", "severity", mappings=severity_names(), cell="color-background"),
            Column("Alert", "alertname", links={"Runbook": links.RUNBOOK}),
            Column("Instance", "feldera_instance"),
            Column("Replica", "instance"),
            Column("Dimension", "dimension"),
        ),
        look=Look(unit="none", no_value="nothing fires"),
    )


def exposition() -> tuple[Place, ...]:
    """Return the row of what Prometheus reads."""
    size = f"max by (job, instance, format) (feldera_exporter_exposition_bytes{{{PROCESS}}})"
    scraped = f"max by (job, instance) (scrape_samples_scraped{{{PROCESS}}})"
    took = f"max by (job, instance) (scrape_duration_seconds{{{PROCESS}}})"
    return (
        Place(
            timeseries(
                "Series",
                "Samples about Feldera, and all that Prometheus read.",
                (
                    Query(f"max by (job, instance) (feldera_exporter_series{{{PROCESS}}})", "{{instance}}: about Feldera"),
                    Query(scraped, "{{instance}}: scraped"),
                ),
                Look(decimals=0, least=0),
            ),
            8, 8,
        ),
        Place(
            timeseries(
                "Size of the exposition",
                "Uncompressed, by format.",
                (Query(size, "{{instance}}: {{format}}"),),
                Look(unit="bytes", least=0),
            ),
            8, 8,
        ),
        Place(
            timeseries(
                "Duration of scrapes",
                "As Prometheus saw it, and of that the rendering.",
                (
                    Query(took, "{{instance}}: scrape"),
                    Query(quantile(0.95, "render_duration_seconds", matchers=PROCESS), "{{instance}}: rendering, p95"),
                ),
                Look(unit="s", least=0),
            ),
            8, 8,
        ),
    )  # fmt: skip


def process() -> tuple[Place, ...]:
    """Return the row of the process."""
    files = f"max by (job, instance) (process_open_fds{{{PROCESS}}} / process_max_fds{{{PROCESS}}})"
    return (
        Place(
            timeseries(
                "Processor",
                "Share of one core.",
                (Query(f"sum by (job, instance) (rate(process_cpu_seconds_total{{{PROCESS}}}[$__rate_interval]))", "{{instance}}"),),
                Look(unit="percentunit", least=0),
            ),
            8, 7,
        ),
        Place(
            timeseries(
                "Memory",
                "Resident memory.",
                (Query(f"max by (job, instance) (process_resident_memory_bytes{{{PROCESS}}})", "{{instance}}"),),
                Look(unit="bytes", least=0),
            ),
            8, 7,
        ),
        Place(
            timeseries(
                "Open files",
                "Of those that the process may open.",
                (Query(files, "{{instance}}"),),
                Look(unit="percentunit", least=0, thresholds=((None, GOOD), (0.8, NEEDS_PERSON), (0.95, BAD))),
            ),
            8, 7,
        ),
    )  # fmt: skip
