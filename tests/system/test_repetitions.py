"""Each notification has something new, however the alerts of a group begin and end."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import yaml

from alerting import configurations
from alerting.chain import alertmanager, answering, prometheus
from feldera_exporter.demo.child_programs import HOST
from feldera_exporter.demo.configurations import ALERTMANAGER, PROMETHEUS, RECEIVER, address
from feldera_exporter.shipped import shipped
from feldera_exporter.simulator.asgi_thread import serve
from support.notifications import REPEATED, NotificationRecord, receiving

RESEND: Final = 3
"""Seconds after which Prometheus repeats an alert, in place of a minute: all times are a twentieth of the shipped ones."""

INTERVALS: Final = {"3m": 3 * RESEND, "1m": RESEND}
"""Seconds between the notifications of a group: as shipped, and one that is too short."""

PIPELINES: Final = 6
PATIENCE: Final = 300.0


class MetricsPage:
    """An exporter's page that says which pipelines have a deployment error."""

    def __init__(self) -> None:
        self._since: dict[int, int] = {}

    def begin(self, pipeline: int) -> None:
        """Let a pipeline fail."""
        self._since[pipeline] = 1_760_000_000

    def end(self, pipeline: int) -> None:
        """Let its error end."""
        self._since[pipeline] = 0

    def text(self) -> str:
        """Return what a scrape gives."""
        family = "feldera_pipeline_problem_since_timestamp_seconds"
        own = [
            f'{family}{{feldera_instance="prod",pipeline="pipeline-{each}",pipeline_name="p{each}",'
            f'problem="DeploymentError",status="",team="",tier=""}} {since}\n'
            for each, since in self._since.items()
        ]
        return "".join(
            ['feldera_exporter_build_info{version="1"} 1\nfeldera_up{feldera_instance="prod"} 1\n', *own]
        )


def test_every_notification_has_something_new(tmp_path: Path) -> None:
    """With the shipped group_interval no notification repeats an earlier one, with a shorter one some do."""
    metrics, records = MetricsPage(), {name: NotificationRecord() for name in INTERVALS}
    every = {f"p{each}" for each in range(PIPELINES)}
    with ExitStack() as stack:
        exporter = stack.enter_context(serve(answering(metrics.text)))
        managers = []
        for name, seconds in INTERVALS.items():
            hook = {RECEIVER: address(stack.enter_context(serve(receiving(records[name].take))))}
            text = configurations.alertmanager(hook, f"{seconds}s")
            managers.append(alertmanager(tmp_path, text, f"alertmanager-{name}"))
        rules = tmp_path / "feldera.rules.yml"
        rules.write_text(
            configurations.rules(shipped("alerts/feldera.rules.yml").read_text("utf-8")), "utf-8"
        )
        addresses = {ALERTMANAGER: address(managers[0].url), PROMETHEUS: f"{HOST}:0"}
        document = yaml.safe_load(configurations.prometheus(rules, [address(exporter)], addresses))
        [notified] = document["alerting"]["alertmanagers"]
        notified["static_configs"] = [{"targets": [address(manager.url) for manager in managers]}]
        text = yaml.safe_dump(document)
        server = prometheus(tmp_path, text, f"--rules.alert.resend-delay={RESEND}s")
        for child in (*managers, server):
            stack.callback(child.stop)
            child.start()
        until(lambda: all(child.ready for child in (*managers, server)))
        for each in range(PIPELINES):
            metrics.begin(each)
        until(lambda: all(notified_in(record, "firing") == every for record in records.values()))
        for each in range(PIPELINES):
            metrics.end(each)
            # Rarely enough that a repeated notification has nothing else in it.
            time.sleep(5 * RESEND)
        until(lambda: all(notified_in(record, "resolved") == every for record in records.values()))
        time.sleep(2 * INTERVALS["3m"])
    repeated = {
        name: [change for change in record.changes if is_repetition(change.status, change.alert)]
        for name, record in records.items()
    }
    assert repeated["3m"] == []
    assert repeated["1m"] != []


def notified_in(record: NotificationRecord, status: str) -> set[str]:
    """Return the pipelines that were notified in a status."""
    return {change.pipeline for change in record.changes if change.status == status and change.pipeline}


def is_repetition(status: str, alert: str) -> bool:
    """Return whether a change is none; the watchdog repeats itself on purpose."""
    return status == REPEATED and alert != "FelderaWatchdog"


def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)
