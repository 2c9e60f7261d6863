"""The committed files that are this package's output: rules, manifest and the list of alerts."""

from collections.abc import Iterator

from feldera_exporter.rules.model import SEVERITIES, Alert, Scope
from feldera_exporter.rules.rendering import rules
from feldera_exporter.rules.table import ALERTS, SECTIONS

_HEAD = """\
# The alerts

One table defines every alert. `feldera.rules.yml` is it for Prometheus (2.42 or later), `prometheusrule.yaml` for the
Prometheus operator, this page for people; `make docs` writes all three. `tests/` holds what proves them,
`runbooks/` what to do when one fires.

The alerts link to this machine: to the runbooks among the exporter's pages at `http://localhost:10058`, and to the
boards of the Grafana at `http://localhost:3000`. With your own addresses, and your own choice of alerts, severities and
labels (`--format=operator` prints `prometheusrule.yaml`):

```sh
feldera-exporter rules --config.file=exporter.yml --runbook-url=https://feldera-exporter.example.com/runbooks \\
  --dashboard-url=https://grafana.example.com > feldera.rules.yml
```

The alert's name comes at the end of the runbooks' address, or in place of `{alert}`: where the files of `runbooks/` are
served as they are, say `--runbook-url='https://files.example.com/runbooks/{alert}.md'`.
Such an address also stays when the exporter is gone, whose own pages go with it: FelderaExporterAbsent and
FelderaExporterDown need one above all.

`critical` pages, `warning` is a ticket, `info` is not routed, `none` is the watchdog's. Every pipeline's alert carries
the labels `feldera_instance`, `pipeline`, `pipeline_name`, `team` and `tier`. While nothing can be heard from an
instance, its alerts stay as they are: none ends, and none begins. With several shards that holds for the pipelines of
each shard by itself.

Two groups of rules: `feldera`, each 15 seconds, and `feldera-slow`, each minute, for what counts over long windows or has
limits of many minutes. Over 1,000 pipelines they take Prometheus about 3 % of a core, with two replicas of the exporter
5 %; `make bench` measures it.
"""

_TABLE = """\
| alert | severity | labels | fires when |
|---|---|---|---|
"""


def _severity(alert: Alert) -> str:
    if not alert.critical_if:
        return alert.severity
    operator, label, value = alert.critical_if.replace("$labels.", "").split()
    sign = {"eq": "=", "ne": "≠"}[operator]
    plain = value.strip('"')
    return f"{alert.severity}, critical with `{label}` {sign} `{plain}`"


def _row(alert: Alert) -> str:
    whole = alert.scope is Scope.PIPELINE
    named = ", ".join(f"`{label}`" for label in (alert.by if whole else alert.labels))
    labels = ", ".join(part for part in ("a pipeline's" if whole else "", named) if part)
    return f"| [{alert.name}](runbooks/{alert.name}.md) | {_severity(alert)} | {labels} | {alert.summary} |\n"


def readme() -> str:
    """Return the list of all alerts as Markdown."""

    def parts() -> Iterator[str]:
        yield _HEAD
        counts = {level: sum(alert.severity == level for alert in ALERTS) for level in SEVERITIES}
        yield (
            f"\n{len(ALERTS)} alerts: "
            + ", ".join(f"{count} {level}" for level, count in counts.items())
            + ".\n"
        )
        for title, alerts in SECTIONS.items():
            yield f"\n## {title}\n\n{_TABLE}"
            yield from map(_row, alerts)

    return "".join(parts())


def documents() -> dict[str, str]:
    """Return the contents of every generated file by its path under the repository's root."""
    return {
        "alerts/feldera.rules.yml": rules("prometheus"),
        "alerts/prometheusrule.yaml": rules("operator"),
        "alerts/README.md": readme(),
    }
