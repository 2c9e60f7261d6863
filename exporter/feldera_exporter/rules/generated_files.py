"""The committed files that are this package's output: rules, manifest and the list of alerts."""

from collections import Counter
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final, NamedTuple

from feldera_exporter.problems.table import (
    INSTANCE_PROBLEMS,
    PIPELINE_PROBLEMS,
    instance_alert,
    pipeline_alert,
)
from feldera_exporter.rules.alert_names import SECTIONS
from feldera_exporter.rules.exporter_alerts import EXPORTER_ALERTS
from feldera_exporter.rules.rendering import rules

_HEAD: Final = """\
# The alerts

The exporter decides what is a problem, and since when by Feldera's own clock. It exports each problem as a sample of
`feldera_pipeline_problem_since_timestamp_seconds` or `feldera_instance_problem_since_timestamp_seconds`: a timestamp while
the problem lasts, `0` for ten minutes after it ended. The rules deliver these samples to Alertmanager, all by one pattern:

```yaml
- alert: FelderaPipelineStuckProvisioning
  expr: |
    max by (feldera_instance, pipeline, pipeline_name, status, team, tier) (
      last_over_time(feldera_pipeline_problem_since_timestamp_seconds{problem="StuckProvisioning"}[3m])
      and on (job, instance, feldera_instance) feldera:exporter:trusted
    ) > 0
  labels: {severity: critical}
```

* The value is the time when the problem began. For a status with a limit, that is when the limit was reached.
* The range reads over missed scrapes of up to three minutes. While no exporter of an instance answers for longer than that,
  the instance's alerts end, FelderaExporterAbsent or FelderaExporterDataStale fires, and those that still hold fire again
  when an exporter answers.
* `feldera:exporter:trusted` is the only recording rule. Of several exporters of an instance it has those that can see
  Feldera, or all of them where none can.
* While Feldera cannot be seen, no problem begins and none ends, also across a restart of an exporter with a store.

`feldera.rules.yml` is for Prometheus 2.42 or later and vmalert, `prometheusrule.yaml` for the Prometheus operator. No group
has more than 20 rules. `make docs` writes both files and this page. `runbooks/` says what to do when an alert fires,
`tests/` holds tests for `promtool test rules`.

The alerts link to this machine: to the pages and runbooks of an exporter at `http://localhost:10058`, and to a Grafana at
`http://localhost:3000`. To use your own addresses, and your own choice of alerts, severities and labels
(`--format=operator` prints `prometheusrule.yaml`):

```sh
feldera-exporter rules --config.file=exporter.yml --web.external-url=https://feldera-exporter.example.com \\
  --dashboard-url=https://grafana.example.com > feldera.rules.yml
```

The runbooks are pages of the exporter, which are gone while it is down. `--runbook-url` names another place: the alert's
name comes at its end, or in place of `{alert}`, as in `--runbook-url='https://files.example.com/runbooks/{alert}.md'`.

`critical` pages, `warning` is a ticket, `info` is not routed, `none` is the watchdog's. Every alert of a pipeline has the
labels `feldera_instance`, `pipeline`, `pipeline_name`, `status`, `team` and `tier`.
"""

_OWN: Final = """
## Rules of your own

The raw families are there for rules of your own. Two examples, complete:

A pipeline that has been Provisioning for longer than its limit:

```yaml
- alert: MyPipelineStuckProvisioning
  expr: |
    feldera_pipeline_deployment_status{status="Provisioning"} == 1
    and on (feldera_instance, pipeline)
      time() - feldera_pipeline_deployment_status_since_timestamp_seconds
        > feldera_pipeline_deployment_status_limit_seconds
  labels: {severity: critical}
  annotations:
    summary: "{{ $labels.pipeline_name }} is stuck in Provisioning."
```

A pipeline of one team that has a deployment error:

```yaml
- alert: MyPipelineHasError
  expr: |
    feldera_pipeline_deployment_has_error == 1
    and on (feldera_instance, pipeline) feldera_pipeline_info{team="payments"}
  labels: {severity: warning}
  annotations:
    summary: "{{ $labels.pipeline_name }} has a deployment error."
```

Such a rule ends when the exporter misses a scrape, and fires twice where two exporters watch an instance: `max by
(feldera_instance, pipeline, pipeline_name) (last_over_time(…[3m]))` helps against both.
"""

_TABLE: Final = """\
| alert | severity | labels | fires when |
|---|---|---|---|
"""


class AlertRow(NamedTuple):
    """What documentation says of an alert.

    Attributes:
        severity: as shipped.
        labels: those that tell alerts of this name apart.
        summary: its constant headline.
    """

    severity: str
    labels: tuple[str, ...]
    summary: str


def _rows() -> Iterator[tuple[str, AlertRow]]:
    for row in PIPELINE_PROBLEMS.values():
        yield pipeline_alert(row.name), AlertRow(row.severity, ("a pipeline's",), row.summary)
    for each in INSTANCE_PROBLEMS.values():
        labels = ("`feldera_instance`", *(("`feldera_service`",) if each.labelled else ()))
        yield instance_alert(each.name), AlertRow(each.severity, labels, each.summary)
    for alert in EXPORTER_ALERTS.values():
        yield (
            alert.name,
            AlertRow(alert.severity, tuple(f"`{label}`" for label in alert.labels), alert.summary),
        )


ALERTS: Final = MappingProxyType(dict(_rows()))
"""What documentation and pages say of every alert, by name."""


def readme() -> str:
    """Return the list of all alerts as Markdown."""

    def parts() -> Iterator[str]:
        yield _HEAD
        counts = Counter(row.severity for row in ALERTS.values())
        named = ", ".join(
            f"{counts[severity]} {severity}" for severity in ("critical", "warning", "info", "none")
        )
        yield f"\n{len(ALERTS)} alerts: {named}.\n"
        for title, names in SECTIONS.items():
            yield f"\n## {title}\n\n{_TABLE}"
            for name in names:
                row = ALERTS[name]
                yield f"| [{name}](runbooks/{name}.md) | {row.severity} | {', '.join(row.labels)} | {row.summary} |\n"
        yield _OWN

    return "".join(parts())


def documents() -> dict[str, str]:
    """Return the contents of every generated file by its path under the repository's root."""
    return {
        "alerts/feldera.rules.yml": rules("prometheus"),
        "alerts/prometheusrule.yaml": rules("operator"),
        "alerts/README.md": readme(),
    }
