"""Every alert fires with a real Prometheus, scraped through the target labels that the Prometheus operator sets."""

import re
import time
from collections.abc import Mapping
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any, Final

from alerting import configurations
from alerting.chain import alertmanager, answering, prometheus, rule_program
from feldera_exporter.demo.child_programs import HOST
from feldera_exporter.demo.configurations import ALERTMANAGER, PROMETHEUS, address
from feldera_exporter.exposition.text import Format, labels
from feldera_exporter.metrics.problem_gauges import families
from feldera_exporter.problems.evaluate import Occurrence, Problems
from feldera_exporter.problems.table import INSTANCE_PROBLEMS, PIPELINE_PROBLEMS
from feldera_exporter.rules.alert_names import NAMES
from feldera_exporter.rules.exporter_alerts import EXPORTER_ALERTS
from feldera_exporter.shipped import shipped
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.telemetry import Telemetry
from reference.alerts_page import ALERTS
from support.child_process import ChildProcess
from support.rule_engines import newer

FACTOR: Final = 30
"""How much shorter all times of the rules are: three minutes are six seconds."""

GONE: Final = {"FelderaExporterDown", "FelderaExporterDataStale"}
"""Alerts about an exporter that has gone while another one answers; without any, there is FelderaExporterAbsent."""

REFUSING: Final = "alertmanager.invalid:9093"
"""An Alertmanager that accepts nothing."""

PATIENCE: Final = 600.0

PRESENT: Final = {
    **{
        Occurrence(
            row.name, "Running" if row.labelled else "", "1", "orders", (("team", "data"), ("tier", "gold"))
        ): 1
        for row in PIPELINE_PROBLEMS.values()
    },
    **{Occurrence(row.name, "runner" if row.labelled else ""): 1 for row in INSTANCE_PROBLEMS.values()},
}
"""Every problem at once, since the first microsecond."""

Labels = Mapping[str, str]


class ExporterWithEveryProblem:
    """An exporter all of whose instances and pipelines are in every trouble, and it itself too."""

    def __init__(self) -> None:
        self._telemetry = Telemetry("1", "3")
        self._scrapes = count(1)
        for instance in ("prod", "refused", "down"):
            self._telemetry.initialise(instance)
        # It has accepted nothing yet.
        self._telemetry.notifications(REFUSING)
        self._telemetry.backlog.labels("prod").set(3)
        self._telemetry.unreadable.labels("prod").set(2)
        self._telemetry.clock_skew.labels("prod").set(-40)
        self._telemetry.configured(success=False)
        shared = labels((("feldera_instance", "prod"),))
        self._problems = "".join(
            family.render(shared, Problems(present=PRESENT)).decode() for family in families(("team", "tier"))
        )

    def text(self) -> str:
        """Return what a scrape gives; with each one more happens."""
        number = next(self._scrapes)
        self._telemetry.polls.labels("refused", "unauthorized").inc()
        self._telemetry.unknown_statuses.labels("prod", "program_status").inc()
        self._telemetry.store_errors.labels("prod").inc()
        own = self._telemetry.expose(Format.TEXT).decode()
        restarted = re.sub(
            r"(?m)^process_start_time_seconds .*$", f"process_start_time_seconds {number}", own
        )
        return (
            f"{restarted}{self._problems}"
            'feldera_up{feldera_instance="prod"} 1\n'
            'feldera_up{feldera_instance="refused"} 0\n'
            'feldera_up{feldera_instance="down"} 0\n'
            f'feldera_exporter_event_gaps_total{{feldera_instance="prod"}} {number}\n'
        )


def calm() -> str:
    """Return what an exporter shows that alone watches another instance."""
    return 'feldera_exporter_build_info{version="1"} 1\nfeldera_up{feldera_instance="other"} 1\n'


def test_every_alert_fires(tmp_path: Path) -> None:
    """Each alert has its own labels and none of the target, with each program that is there and with and without honor_labels."""
    shown = shipped("alerts/feldera.rules.yml").read_text("utf-8")
    rules = tmp_path / "feldera.rules.yml"
    rules.write_text(configurations.compressed(shown, FACTOR), encoding="utf-8")
    with ExitStack() as stack:
        troubled, leaving = stack.enter_context(ExitStack()), stack.enter_context(ExitStack())
        targets = [
            address(troubled.enter_context(serve(answering(ExporterWithEveryProblem().text)))),
            address(leaving.enter_context(serve(answering(calm)))),
        ]
        evaluators = _evaluators(tmp_path, rules, targets, stack)
        until(evaluators, NAMES - GONE - {"FelderaExporterAbsent"})
        leaving.close()
        until(evaluators, GONE)
        troubled.close()
        until(evaluators, {"FelderaExporterAbsent"})


def _evaluators(folder: Path, rules: Path, targets: list[str], stack: ExitStack) -> dict[str, ChildProcess]:
    """Start what evaluates the rules, and return it by what is special about it."""
    unused = {ALERTMANAGER: f"{HOST}:1", PROMETHEUS: f"{HOST}:0"}
    found = {}
    for name, honor in (("honoring", True), ("overriding", False)):
        text = configurations.prometheus(
            rules, targets, unused, honor_labels=honor, interval=configurations.CALM
        )
        found[name] = prometheus(folder, text, name=name)
    if program := newer("prometheus"):
        text = configurations.prometheus(rules, targets, unused, interval=configurations.CALM)
        found["newer"] = prometheus(folder, text, name="newer", program=program)
    children = list(found.values())
    if program := newer("vmalert"):
        text = configurations.prometheus(None, targets, unused, interval=configurations.CALM)
        database = prometheus(folder, text, name="database")
        manager = alertmanager(folder, configurations.alertmanager({}))
        found["vmalert"] = rule_program(folder, program, rules, database.url, manager.url)
        children += [database, manager, found["vmalert"]]
    for child in children:
        stack.callback(child.stop)
        child.start()
    return found


def until(evaluators: Mapping[str, ChildProcess], names: set[str] | frozenset[str]) -> None:
    """Wait until these alerts have fired everywhere, each with the labels that it should have."""
    missing = {name: set(names) for name in evaluators}
    deadline = time.monotonic() + PATIENCE
    while any(missing.values()):
        assert time.monotonic() < deadline, missing
        time.sleep(2)
        for name, child in evaluators.items():
            for found in firing(child):
                alert = found.pop("alertname")
                assert found in expected(alert), (name, alert)
                missing[name].discard(alert)


def firing(child: ChildProcess) -> list[dict[str, str]]:
    """Return the labels of the alerts that fire, without those that vmalert adds."""
    answer = child.get("/api/v1/alerts")
    alerts: list[dict[str, Any]] = answer.json()["data"]["alerts"] if answer else []
    found = [
        dict(each["labels"], alertname=each["labels"]["alertname"])
        for each in alerts
        if each["state"] == "firing"
    ]
    for each in found:
        each.pop("alertgroup", None)
    return found


def expected(alert: str) -> list[dict[str, str]]:
    """Return the labels, but for the name, that an alert may have."""
    severity = {"severity": ALERTS[alert].severity}
    if alert in EXPORTER_ALERTS:
        return [severity | own for own in _own(EXPORTER_ALERTS[alert].labels, alert)]
    problem = next(
        each
        for each in PRESENT
        if alert in {f"FelderaPipeline{each.problem}", f"Feldera{each.problem}"} and each.alert == alert
    )
    if not problem.pipeline_id:
        own = {"feldera_service": problem.label} if problem.label else {}
        return [severity | {"feldera_instance": "prod"} | own]
    status = {"status": problem.label} if problem.label else {}
    pipeline = {"feldera_instance": "prod", "pipeline": "pipeline-1", "pipeline_name": "orders"}
    return [severity | pipeline | status | dict(problem.tags)]


def _own(names: tuple[str, ...], alert: str) -> list[dict[str, str]]:
    instances = {
        "FelderaApiAuthFailed": ["refused"],
        # Until Feldera has refused the key twice it may as well be out of reach.
        "FelderaApiUnreachable": ["down", "refused"],
        "FelderaExporterDataStale": ["other", "prod", "refused", "down"],
    }.get(alert, ["prod"])
    if "feldera_instance" in names:
        more = {"dimension": "program_status"} if "dimension" in names else {}
        return [{"feldera_instance": instance} | more for instance in instances]
    if "instance" in names:
        more = {"alertmanager": REFUSING} if "alertmanager" in names else {}
        return [
            {"job": "feldera-exporter", "instance": f"feldera/feldera-exporter-{number}"} | more
            for number in range(2)
        ]
    return [{}]
