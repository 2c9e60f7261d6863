"""The page about the alerts, `alerts/README.md`, from the tables of problems and of alerts about the exporter."""

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

_HEAD: Final = """\
# The alerts

The exporter decides what is a problem and since when, by Feldera's clock. It exports each problem as a sample of
`feldera_pipeline_problem_since_timestamp_seconds` or `feldera_instance_problem_since_timestamp_seconds`. The value is a
timestamp while the problem lasts, and `0` for ten minutes after it ended. The rules turn these samples into alerts. All
rules of problems have the same form:

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
* The range `[3m]` bridges missed scrapes of up to three minutes. If no exporter of an instance answers for longer than
  that, the instance's alerts end, and FelderaExporterAbsent or FelderaExporterDataStale fires. When an exporter answers
  again, the alerts of the problems that still exist fire again.
* `feldera:exporter:trusted` is the only recording rule. It selects the exporters of an instance that can reach Feldera, or
  all of them if none can.
* While Feldera cannot be reached, no problem begins and none ends. With a store, a restart of the exporter changes nothing
  about that.

`feldera.rules.yml` is for Prometheus 2.42 or later and vmalert, `prometheusrule.yaml` for the Prometheus operator. No group
has more than 20 rules. `make docs` writes both files and this page. `runbooks/` says what to do when an alert fires,
`tests/` holds tests for `promtool test rules`.

By default, the alerts link to the pages and runbooks of an exporter at `http://localhost:10058`, and to Grafana at
`http://localhost:3000`. To use other addresses, or to change alerts, severities and labels in the configuration, print the
rules (`--format=operator` prints `prometheusrule.yaml`):

```sh
feldera-exporter rules --config.file=exporter.yml --web.external-url=https://feldera-exporter.example.com \\
  --dashboard-url=https://grafana.example.com > feldera.rules.yml
```

The exporter serves the runbooks, so they are not available while it is down. `--runbook-url` sets another address. The
alert's name is appended to it, or replaces `{alert}` in it, as in
`--runbook-url='https://files.example.com/runbooks/{alert}.md'`.

The severity `critical` is meant to page, `warning` to open a ticket, `info` only to be shown; `none` is the watchdog's.
Every alert of a pipeline has the labels `feldera_instance`, `pipeline`, `pipeline_name`, `status`, `team` and `tier`.
"""

_YOUR_RULES: Final = """
## Your own rules

For your own rules, use the families of statuses, limits and errors. Two complete examples:

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

Such a rule ends at a missed scrape, and fires twice if two exporters watch an instance. Write
`max by (feldera_instance, pipeline, pipeline_name) (last_over_time(…[3m]))` to avoid both.
"""

_TABLE: Final = """\
| alert | severity | labels | fires when |
|---|---|---|---|
"""


class AlertRow(NamedTuple):
    """The documentation of an alert.

    Attributes:
        severity: the severity in the shipped rules.
        labels: the labels that distinguish alerts of this name.
        summary: the constant headline.
    """

    severity: str
    labels: tuple[str, ...]
    summary: str


def _rows() -> Iterator[tuple[str, AlertRow]]:
    for row in PIPELINE_PROBLEMS.values():
        yield pipeline_alert(row.name), AlertRow(row.severity, ("a pipeline's",), row.summary)
    for problem in INSTANCE_PROBLEMS.values():
        labels = ("`feldera_instance`", *(("`feldera_service`",) if problem.labelled else ()))
        yield instance_alert(problem.name), AlertRow(problem.severity, labels, problem.summary)
    for alert in EXPORTER_ALERTS.values():
        yield (
            alert.name,
            AlertRow(alert.severity, tuple(f"`{label}`" for label in alert.labels), alert.summary),
        )


ALERTS: Final = MappingProxyType(dict(_rows()))
"""The documentation of every alert, by name."""


def page() -> str:
    """Return the page, as Markdown."""

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
        yield _YOUR_RULES

    return "".join(parts())
