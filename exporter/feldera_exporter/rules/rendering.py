"""Renders the alert rules as YAML: a rule file for Prometheus, or a PrometheusRule for its operator."""

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

import yaml

from feldera_exporter.config import DEFAULT_TAG_LABELS, AlertChoice, Configuration
from feldera_exporter.problems.model import Problem
from feldera_exporter.problems.table import (
    COMPILATION,
    FAULTS,
    LIFECYCLE,
    PIPELINE_PROBLEMS,
    PLATFORM,
    instance_alert,
    pipeline_alert,
)
from feldera_exporter.rules.exporter_alerts import EXPORTER_ALERTS, TRUSTED, TRUSTED_EXPRESSION, ExporterAlert

EXPORTER_URL: Final = "http://localhost:10058"
"""The default address of the exporter's pages."""

DASHBOARD_URL: Final = "http://localhost:3000"
"""The default address of Grafana."""

NAME: Final = "{alert}"
"""The placeholder for the alert's name in the address of its runbook."""

INTERVAL: Final = "15s"
"""The evaluation interval of the rule groups."""

PIPELINE_FAMILY: Final = "feldera_pipeline_problem_since_timestamp_seconds"
INSTANCE_FAMILY: Final = "feldera_instance_problem_since_timestamp_seconds"

_PIPELINE_LABELS: Final = ("feldera_instance", "pipeline", "pipeline_name", "status")
_INSTANCE_LABELS: Final = ("feldera_instance", "feldera_service")

_EXPORTER_BOARD: Final = "/d/feldera-exporter"
_PIPELINE_PAGE: Final = (
    "/pipelines/{{ $labels.feldera_instance | urlquery }}/{{ $labels.pipeline_name | urlquery }}"
)

_EXPORTER_GROUP: Final = "feldera-exporter"
_PIPELINE_GROUPS: Final[Mapping[str, Sequence[Problem[Any]]]] = {
    "feldera-pipelines": LIFECYCLE,
    "feldera-pipeline-faults": (*FAULTS, *COMPILATION),
}

_SINCE: Final = "{{ $value | humanizeTimestamp }}"

_HEADER: Final = """\
# Alert rules for the pipelines that feldera-exporter watches; Prometheus 2.42 or later, vmalert.
# Printed by `feldera-exporter rules`: change the configuration's alerts: and tag_labels:, not this file.
#
# The exporter decides what is a problem and since when. feldera_pipeline_problem_since_timestamp_seconds and
# feldera_instance_problem_since_timestamp_seconds are a timestamp while a problem lasts, and 0 for ten minutes after it
# ended. The rules turn these samples into alerts, and bridge missed scrapes of up to three minutes.
"""

_MANIFEST: Final = """\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: feldera-exporter
  labels:
    app.kubernetes.io/name: feldera-exporter
spec:
"""


@dataclass(frozen=True, slots=True)
class RuleOptions:
    """The user's options for the rules.

    Attributes:
        alerts: the settings of alerts in the configuration, by the alert's name.
        alert_labels: labels of every alert, where its settings do not set them.
        severities: what the label `severity` says in place of the table's words.
        exporter_url: the address of the exporter's pages.
        runbook_url: the address of the runbooks. The alert's name replaces `NAME` in it, or is appended. Empty: the
            exporter's own runbook pages.
        exporter_only: whether to leave out the rules about pipelines and instances.
        external_labels: labels of every alert that the exporter itself sends, where it has no label of that name.
    """

    alerts: Mapping[str, AlertChoice] = field(default_factory=lambda: MappingProxyType({}))
    alert_labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    severities: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    tag_labels: tuple[str, ...] = tuple(DEFAULT_TAG_LABELS)
    exporter_url: str = EXPORTER_URL
    runbook_url: str = ""
    dashboard_url: str = DASHBOARD_URL
    exporter_only: bool = False
    external_labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def configured(self, configuration: Configuration) -> "RuleOptions":
        """Return these options with the configuration's choices."""
        alertmanager = configuration.alertmanager
        return replace(
            self,
            alerts=configuration.alerts,
            alert_labels=configuration.alert_labels,
            severities=configuration.severities,
            tag_labels=tuple(configuration.tag_labels),
            external_labels=alertmanager.labels if alertmanager is not None else {},
            exporter_only=alertmanager is not None,
        )

    def labels(self, alert: str, severity: str) -> dict[str, str]:
        """Return the constant labels of an alert; `severity` is the table's."""
        choice = self.alerts.get(alert, AlertChoice())
        chosen = choice.severity or severity
        return {"severity": self.severities.get(chosen, chosen), **self.alert_labels, **choice.labels}

    @property
    def tags(self) -> tuple[str, ...]:
        """The tag labels of every pipeline's alert."""
        return tuple(tag for tag in self.tag_labels if tag != "expect")

    def runbook(self, alert: str) -> str:
        """Return the address of an alert's runbook."""
        address = self.runbook_url or f"{self.exporter_url.rstrip('/')}/runbooks"
        pattern = address if NAME in address else f"{address.rstrip('/')}/{NAME}"
        return pattern.replace(NAME, alert)


def problem_expression(family: str, problem: str, labels: Iterable[str]) -> str:
    """Return the PromQL of a problem: its series from the trusted exporters, while one is above 0."""
    return (
        f"max by ({', '.join(labels)}) (\n"
        f'  last_over_time({family}{{problem="{problem}"}}[3m])\n'
        f"  and on (job, instance, feldera_instance) {TRUSTED}\n"
        ") > 0"
    )


def rules(form: str = "prometheus", options: RuleOptions | None = None) -> str:
    """Return the rules as YAML, in one of `FORMATS`; without options, the shipped rules."""
    return FORMATS[form](_groups(options or RuleOptions()))


def expressions() -> Mapping[str, str]:
    """Return the PromQL of every alert by name, with the recording rule replaced by its expression."""
    return {
        name: rule["expr"].replace(TRUSTED, f"({TRUSTED_EXPRESSION})")
        for _, name, rule in _alerts(RuleOptions())
    }


def _groups(options: RuleOptions) -> str:
    groups: dict[str, list[str]] = {_EXPORTER_GROUP: [_recording()]}
    for group, name, rule in _alerts(options):
        choice = options.alerts.get(name, AlertChoice())
        if choice.enabled and (group == _EXPORTER_GROUP or not options.exporter_only):
            labels = _OneLine(options.labels(name, rule["labels"]["severity"]))
            groups.setdefault(group, []).append(_dump([{"alert": name, **rule, "labels": labels}]))
    return "groups:\n" + "\n".join(
        f"  - name: {name}\n    interval: {INTERVAL}\n    rules:\n{textwrap.indent(''.join(texts), ' ' * 6)}"
        for name, texts in groups.items()
    )


def _alerts(options: RuleOptions) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the group, the name and the rule of every alert, with the severity of the table."""
    for alert in EXPORTER_ALERTS.values():
        yield _EXPORTER_GROUP, alert.name, _exporter_rule(options, alert)
    for group, rows in _PIPELINE_GROUPS.items():
        for row in rows:
            yield group, pipeline_alert(row.name), _problem_rule(options, row)
    for problem in PLATFORM:
        yield "feldera-instances", instance_alert(problem.name), _problem_rule(options, problem)


def problem_annotations(
    options: RuleOptions,
    row: Problem[Any],
    text: Callable[[str], str],
    quoted: Callable[[str], str],
    limit: str,
    since: str,
) -> dict[str, str]:
    """Return the annotations that the alert of a problem has from the rules and from the exporter itself.

    Args:
        options: the user's options.
        row: the row of the problem.
        text: returns what stands for the value of a label: a template of Prometheus, or the value.
        quoted: returns the same for an address.
        limit: the limit of the status: ` of 10m`, or empty.
        since: when the problem began.
    """
    instance, board = text("feldera_instance"), f"var-feldera_instance={quoted('feldera_instance')}"
    if row.name in PIPELINE_PROBLEMS:
        alert, label = pipeline_alert(row.name), text("status")
        subject = f"Pipeline {text('pipeline_name')} of {instance}"
        board = f"/d/feldera-pipeline?{board}&var-pipeline={quoted('pipeline')}"
    else:
        alert, label = instance_alert(row.name), text("feldera_service")
        subject = f"Feldera instance {instance}"
        board = f"/d/feldera-fleet?{board}"
    meaning = row.meaning.format(subject=subject, label=label, limit=limit)
    description = f"{meaning} The problem began at {since}. {row.first_step}"
    return _annotations(options, alert, row.summary, description, board)


def _problem_rule(options: RuleOptions, row: Problem[Any]) -> dict[str, Any]:
    limit = ""
    if row.limit_of:
        limit = (
            f'{{{{ with printf "feldera_pipeline_{row.limit_of}_limit_seconds{{feldera_instance=%q, pipeline=%q}} < Inf" '
            "$labels.feldera_instance $labels.pipeline | query }} of {{ . | first | value | humanizeDuration }}{{ end }}"
        )
    annotations = problem_annotations(
        options, row, "{{{{ $labels.{} }}}}".format, "{{{{ $labels.{} | urlquery }}}}".format, limit, _SINCE
    )
    if row.name in PIPELINE_PROBLEMS:
        expression = problem_expression(PIPELINE_FAMILY, row.name, (*_PIPELINE_LABELS, *options.tags))
        annotations["pipeline_url"] = options.exporter_url.rstrip("/") + _PIPELINE_PAGE
    else:
        expression = problem_expression(INSTANCE_FAMILY, row.name, _INSTANCE_LABELS)
    return {
        "expr": expression,
        "labels": {"severity": row.severity},
        "annotations": annotations,
    }


def _exporter_rule(options: RuleOptions, alert: ExporterAlert) -> dict[str, Any]:
    return {
        "expr": alert.expression,
        **({"for": alert.for_} if alert.for_ else {}),
        "labels": {"severity": alert.severity},
        "annotations": _annotations(options, alert.name, alert.summary, alert.description, _EXPORTER_BOARD),
    }


def _annotations(
    options: RuleOptions, name: str, summary: str, description: str, board: str
) -> dict[str, str]:
    return {
        "summary": summary,
        "description": description,
        "runbook_url": options.runbook(name),
        "dashboard_url": options.dashboard_url.rstrip("/") + board,
    }


def _recording() -> str:
    purpose = (
        "The exporters of an instance that can reach Feldera, or all of them if none can. So an exporter that cannot reach "
        "Feldera neither raises nor hides an alert while another one can."
    )
    comment = textwrap.fill(purpose, 100, initial_indent="# ", subsequent_indent="# ")
    return f"{comment}\n" + _dump([{"record": TRUSTED, "expr": TRUSTED_EXPRESSION}])


class _OneLine(dict[str, str]):
    """A mapping that is rendered on one line."""


class _Dumper(yaml.SafeDumper):
    """Renders texts of several lines as YAML blocks, so that expressions are easy to read."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


def _one_line(dumper: yaml.SafeDumper, value: _OneLine) -> yaml.MappingNode:
    return dumper.represent_mapping("tag:yaml.org,2002:map", value, flow_style=True)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(_OneLine, _one_line)


def _dump(value: object) -> str:
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=10_000, allow_unicode=True))


FORMATS: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {
        "prometheus": lambda groups: _HEADER + groups,
        "operator": lambda groups: _HEADER + _MANIFEST + textwrap.indent(groups, "  "),
    }
)
"""The formats by the name that `feldera-exporter rules --format` takes."""
