"""The table of rules as YAML: a rule file for Prometheus, or a PrometheusRule for its operator."""

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import yaml

from feldera_exporter.rules import texts
from feldera_exporter.rules.model import Alert, Pace, Recording, Scope
from feldera_exporter.rules.promql import kept, tagged, yielding
from feldera_exporter.rules.recordings import recordings
from feldera_exporter.rules.settings import Settings
from feldera_exporter.rules.table import ALERTS

RUNBOOKS: Final = "http://localhost:10058/runbooks"
"""Where the runbooks are when nothing else is said: among the pages of an exporter on the reader's machine."""

NAME: Final = "{alert}"
"""What stands for an alert's name in the address of its runbook."""

DASHBOARDS: Final = "http://localhost:3000"
"""Where Grafana is when nothing else is said: on the reader's machine, too."""

GROUP: Final = "feldera"
INTERVAL: Final = Pace.PROMPT.value
"""The group whose rules must see what is new at once."""

GROUPS: Final = MappingProxyType({Pace.PROMPT: GROUP, Pace.SLOW: f"{GROUP}-slow"})
"""The groups by their pace: the rules of each are evaluated one after the other at one time, so that an alert sees this
round's recordings. What the slow one reads of the other is at most one round old."""

_BOARDS: Final = {
    Scope.PIPELINE: "/d/feldera-pipeline?var-feldera_instance={{ $labels.feldera_instance | urlquery }}"
    "&var-pipeline={{ $labels.pipeline | urlquery }}",
    Scope.INSTANCE: "/d/feldera-fleet?var-feldera_instance={{ $labels.feldera_instance | urlquery }}",
    Scope.EXPORTER: "/d/feldera-exporter",
}

_HEADER: Final = (
    "# Alert rules for the pipelines that feldera-exporter watches; Prometheus 2.42 or later.\n"
    "# Printed by `feldera-exporter rules`: change the configuration's alerts: and tag_labels:, not this file.\n"
)

_MANIFEST: Final = """\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: feldera-exporter
  labels:
    app.kubernetes.io/name: feldera-exporter
spec:
"""


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, so that a person can read the expressions."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def expression(alert: Alert, tags: tuple[str, ...]) -> str:
    """Return an alert's whole PromQL: its condition with the tags, kept while nothing can be known, yielding."""
    pipeline = alert.scope is Scope.PIPELINE
    tagging = tags if pipeline else ()
    whole = tagged(alert.condition, tags) if pipeline and not alert.aged else alert.condition
    if alert.kept:
        whole = kept(alert, whole, tagging)
    return yielding(alert, whole) if alert.yields_to else whole


def severity(alert: Alert, chosen: str) -> str:
    """Return the severity label: the one chosen, else the table's, as a template where it depends on labels."""
    if chosen or not alert.critical_if:
        return chosen or alert.severity
    return f"{{{{ if {alert.critical_if} }}}}critical{{{{ else }}}}{alert.severity}{{{{ end }}}}"


def _runbook(address: str, name: str) -> str:
    pattern = address if NAME in address else f"{address.rstrip('/')}/{NAME}"
    return pattern.replace(NAME, name)


def _alert(alert: Alert, settings: Settings, runbooks: str, dashboards: str) -> dict[str, object]:
    choice = settings.of(alert)
    return {
        "alert": alert.name,
        "expr": expression(alert, settings.tags),
        **({"for": alert.for_} if alert.for_ else {}),
        "labels": {"severity": severity(alert, choice.severity), **choice.labels},
        "annotations": {
            "summary": alert.summary,
            "description": alert.description + (texts.KEPT[alert.scope] if alert.kept else ""),
            "runbook_url": _runbook(runbooks, alert.name),
            "dashboard_url": dashboards.rstrip("/") + _BOARDS[alert.scope],
        },
    }


def _recording(recording: Recording) -> str:
    comment = textwrap.fill(recording.purpose, 100, initial_indent="# ", subsequent_indent="# ")
    return f"{comment}\n" + _dump([{"record": recording.name, "expr": recording.expression}])


def _dump(value: object) -> str:
    text = yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=10_000, allow_unicode=True)
    return str(text)


def _indented(text: str, by: int) -> str:
    return "".join(" " * by + line if line.strip() else line for line in text.splitlines(keepends=True))


def _groups(paced: Iterable[tuple[Pace, str]]) -> str:
    rules = tuple(paced)

    def each() -> Iterator[str]:
        for pace, name in GROUPS.items():
            body = "\n".join(rule for own, rule in rules if own is pace)
            yield f"  - name: {name}\n    interval: {pace}\n    rules:\n{_indented(body, 6)}"

    return "groups:\n" + "\n".join(each())


def _prometheus(groups: str) -> str:
    return _HEADER + groups


def _operator(groups: str) -> str:
    return _HEADER + _MANIFEST + _indented(groups, 2)


FORMATS: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {"prometheus": _prometheus, "operator": _operator}
)
"""The formats that `rules` knows, for the command line."""


def rules(
    form: str = "prometheus",
    settings: Settings | None = None,
    runbook_url: str = RUNBOOKS,
    dashboard_url: str = DASHBOARDS,
) -> str:
    """Return the rules as YAML.

    Args:
        form: a key of `FORMATS`.
        settings: which alerts to leave out or change; None for the table as it is.
        runbook_url: the address of the runbooks; each alert's name takes the place of `NAME` in it, else it is added
            at the end.
        dashboard_url: Grafana's address.
    """
    chosen = settings or Settings()

    def each() -> Iterator[tuple[Pace, str]]:
        for recording in recordings(chosen.tags):
            yield recording.pace, _recording(recording)
        for alert in ALERTS:
            choice = chosen.of(alert)
            if choice.enabled and choice.via == "rules":
                yield alert.pace, _dump([_alert(alert, chosen, runbook_url, dashboard_url)])

    return FORMATS[form](_groups(each()))
