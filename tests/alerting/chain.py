"""The whole chain from Feldera to the receiver: stand-ins, two exporters, Prometheus, Alertmanager, a webhook."""

import math
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from alerting import configurations
from feldera_exporter.demo import child_programs
from feldera_exporter.demo.child_programs import HOST, free_port
from feldera_exporter.demo.configurations import ALERTMANAGER, PROMETHEUS, RECEIVER, address
from feldera_exporter.server.asgi import Asgi, Receive, Scope, Send
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.feldera import Feldera
from support.child_process import ChildProcess
from support.clocks import ScaledClock
from support.disturbed_server import EVERY, UNAVAILABLE, DisturbedServer
from support.notifications import NotificationRecord, receiving
from support.plans import INSTANT
from support.tools import tool

REPLICAS: Final = ("a", "b")

METRICS_AGE: Final = 2.0
"""Seconds for which metrics that were read are used again: some twenty scenarios ask at the same time."""


class FelderaWithReplicas:
    """A Feldera instance on this machine's time, with a server for each replica of the exporter.

    Attributes:
        feldera: the instance.
        servers: its servers by replica.
    """

    def __init__(self) -> None:
        self.feldera = Feldera(ScaledClock(time.time_ns() // 1000), plan=INSTANT)
        self.servers = {replica: DisturbedServer(self.feldera) for replica in REPLICAS}

    def close(self, *replicas: str) -> None:
        """Let the API fail for some replicas, for all if none is named."""
        for replica in replicas or REPLICAS:
            self.servers[replica].faults.set(EVERY, UNAVAILABLE)

    def open(self) -> None:
        """Let the API answer all replicas again."""
        for server in self.servers.values():
            server.faults.clear()


@dataclass(frozen=True)
class RuleEvaluator:
    """The program that evaluates the rules.

    Attributes:
        name: `prometheus` or `vmalert`.
        program: the path of vmalert, empty for Prometheus itself.
        rounds: finds in its metrics how many times it has evaluated a group.
    """

    name: str
    program: str
    rounds: str


PROMETHEUS_ITSELF: Final = RuleEvaluator(
    "prometheus", "", r"^prometheus_rule_group_iterations_total\{[^}]*\} (\d+)"
)


def vmalert(program: str) -> RuleEvaluator:
    """Return vmalert as what evaluates the rules, with Prometheus as its database."""
    return RuleEvaluator("vmalert", program, r"^vmalert_iteration_total\{[^}]*\} (\d+)")


class AlertingChain:
    """The running programs.

    Attributes:
        instances: the Feldera instances by their names.
        exporters: the replicas of the exporter.
        prometheus: scrapes them.
        evaluator: evaluates the rules: Prometheus itself or another program.
        alertmanager: notifies.
        record: what receivers heard.
    """

    def __init__(
        self,
        instances: Mapping[str, FelderaWithReplicas],
        exporters: Mapping[str, ChildProcess],
        prometheus: ChildProcess,
        evaluator: ChildProcess,
        alertmanager: ChildProcess,
        record: NotificationRecord,
        rounds: str,
    ) -> None:
        self.instances = instances
        self.exporters = exporters
        self.prometheus = prometheus
        self.evaluator = evaluator
        self.alertmanager = alertmanager
        self.record = record
        self._rounds = re.compile(rounds, re.MULTILINE)
        self._read_at: dict[str, float] = {}
        self._metrics: dict[str, Mapping[str, Sequence[str]]] = {}

    @property
    def children(self) -> tuple[ChildProcess, ...]:
        """Every program."""
        others = (self.prometheus, self.evaluator, self.alertmanager)
        return *self.exporters.values(), *dict.fromkeys(others)

    def ready(self) -> bool:
        """Return whether all programs answer and Prometheus knows Alertmanager: it looks for it every 5 s."""
        if not all(child.ready for child in self.children):
            return False
        answer = self.prometheus.get("/api/v1/alertmanagers")
        return answer is not None and answer.json()["data"]["activeAlertmanagers"] != []

    def gives(self, query: str) -> bool:
        """Return whether a query has a result in Prometheus."""
        answer = self.prometheus.get("/api/v1/query", query=query)
        return answer is not None and answer.json()["data"]["result"] != []

    def scraped(self, began: float) -> bool:
        """Return whether Prometheus has scraped both exporters since they started after an instant."""
        seen = f'count(process_start_time_seconds{{service="feldera-exporter"}} > {began})'
        return self.gives(f"{seen} == {len(self.exporters)}")

    def rounds(self) -> int:
        """Return how many times the rules have been evaluated since their evaluator started."""
        answer = self.evaluator.get("/metrics")
        found = self._rounds.search(answer.text if answer else "")
        return int(found[1]) if found else 0

    def shows(self, replica: str, instance: str, pipeline: str, status: str) -> bool:
        """Return whether a replica of the exporter shows a pipeline in a status."""
        labels = {"feldera_instance": instance, "pipeline_name": pipeline, "status": status}
        return self._value(replica, "feldera_pipeline_deployment_status", labels) == "1"

    def problem(self, replica: str, instance: str, pipeline: str, problem: str) -> str:
        """Return since when a replica says that a pipeline has a problem; empty where it says nothing of it."""
        labels = {"feldera_instance": instance, "pipeline_name": pipeline, "problem": problem}
        return self._value(replica, "feldera_pipeline_problem_since_timestamp_seconds", labels)

    def _value(self, replica: str, family: str, labels: Mapping[str, str]) -> str:
        wanted = [f'{name}="{value}"' for name, value in labels.items()]
        for line in self._families(replica).get(family, ()):
            if all(label in line for label in wanted):
                return line.rpartition(" ")[2]
        return ""

    def _families(self, replica: str) -> Mapping[str, Sequence[str]]:
        """Return the lines of a replica's metrics by family, read again after `METRICS_AGE`."""
        now = time.monotonic()
        if now - self._read_at.get(replica, -math.inf) > METRICS_AGE:
            answer = self.exporters[replica].get("/metrics")
            self._read_at[replica] = now
            lines = answer.text.splitlines() if answer else []
            self._metrics[replica] = {
                family: [*found] for family, found in groupby(lines, lambda line: line.partition("{")[0])
            }
        return self._metrics[replica]

    def firing(self, alert: str, instance: str) -> bool:
        """Return whether an alert about an instance fires, by the program that evaluates the rules."""
        answer = self.evaluator.get("/api/v1/alerts")
        return any(
            each["state"] == "firing"
            and each["labels"]["alertname"] == alert
            and each["labels"].get("feldera_instance") == instance
            for each in (answer.json()["data"]["alerts"] if answer else ())
        )

    def active(self) -> set[str]:
        """Return the names of the alerts in Alertmanager that notify people."""
        answer = self.alertmanager.get("/api/v2/alerts")
        assert answer is not None
        labels = [alert["labels"] for alert in answer.json()]
        return {each["alertname"] for each in labels if each["severity"] in {"critical", "warning"}}


def answering(text: Callable[[], str]) -> Asgi:
    """Return an application that answers everything with a text."""

    async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
        body = text().encode()
        headers = [(b"content-type", b"text/plain; version=0.0.4"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer


@contextmanager
def chain(
    folder: Path,
    instances: Mapping[str, FelderaWithReplicas],
    limits: Mapping[str, Mapping[str, str]],
    evaluator: RuleEvaluator = PROMETHEUS_ITSELF,
) -> Iterator[AlertingChain]:
    """Run the chain until the context ends.

    Args:
        folder: an empty one.
        instances: the instances by name.
        limits: the limits of the pipelines that have short ones, by their name.
        evaluator: what evaluates the rules.
    """
    record = NotificationRecord()
    with ExitStack() as stack:
        receiver = stack.enter_context(serve(receiving(record.take)))
        exporters = {}
        for replica in REPLICAS:
            servers = {
                name: stack.enter_context(serve(served.servers[replica]))
                for name, served in instances.items()
            }
            exporters[replica] = _exporter(folder / replica, configurations.exporter(servers, limits))
        rules = folder / "feldera.rules.yml"
        rules.write_text(
            configurations.rules(_printed(folder / "a/exporter.yml"), configurations.CALM), encoding="utf-8"
        )
        addresses = {RECEIVER: address(receiver)}
        manager = alertmanager(folder, configurations.alertmanager(addresses))
        addresses |= {ALERTMANAGER: address(manager.url), PROMETHEUS: f"{HOST}:0"}
        targets = [address(exporter.url) for exporter in exporters.values()]
        own = None if evaluator.program else rules
        resend = f"--rules.alert.resend-delay={configurations.RESEND}"
        database = prometheus(
            folder, configurations.prometheus(own, targets, addresses, interval=configurations.CALM), resend
        )
        other = (
            rule_program(folder, evaluator.program, rules, database.url, manager.url)
            if own is None
            else database
        )
        running = AlertingChain(instances, exporters, database, other, manager, record, evaluator.rounds)
        for child in running.children:
            stack.callback(child.stop)
            child.start()
        yield running


def _exporter(folder: Path, configuration: str) -> ChildProcess:
    folder.mkdir()
    file = folder / "exporter.yml"
    file.write_text(configuration, encoding="utf-8")
    port = free_port()
    command = (
        sys.executable,
        "-m",
        "feldera_exporter",
        f"--config.file={file}",
        f"--web.listen-address={HOST}:{port}",
        f"--storage.path={folder / 'store'}",
    )
    return ChildProcess(f"http://{HOST}:{port}", command, folder / "exporter.log")


def _printed(configuration: Path) -> str:
    command = (sys.executable, "-m", "feldera_exporter", "rules", f"--config.file={configuration}")
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def prometheus(
    folder: Path, configuration: str, *flags: str, name: str = "prometheus", program: str | None = None
) -> ChildProcess:
    """Return a Prometheus that takes samples written to it, too: Debian's, or another program."""
    file = folder / f"{name}.yml"
    file.write_text(configuration, encoding="utf-8")
    port = free_port()
    command = child_programs.prometheus(Path(program or tool("prometheus")), lambda _: file, folder / name)
    return ChildProcess(
        f"http://{HOST}:{port}",
        (*command(port), "--web.enable-remote-write-receiver", *flags),
        folder / f"{name}.log",
    )


def alertmanager(folder: Path, configuration: str, name: str = "alertmanager") -> ChildProcess:
    """Return an Alertmanager."""
    file = folder / f"{name}.yml"
    file.write_text(configuration, encoding="utf-8")
    port = free_port()
    command = child_programs.alertmanager(
        Path(tool("prometheus-alertmanager")), lambda _: file, folder / name
    )
    return ChildProcess(f"http://{HOST}:{port}", command(port), folder / f"{name}.log")


def rule_program(folder: Path, program: str, rules: Path, database: str, manager: str) -> ChildProcess:
    """Return vmalert, which reads from Prometheus and writes there what it records."""
    port = free_port()
    command = (
        program,
        f"-rule={rules}",
        f"-datasource.url={database}",
        f"-remoteRead.url={database}",
        f"-remoteWrite.url={database}",
        "-remoteWrite.flushInterval=200ms",
        f"-notifier.url={manager}",
        f"-httpListenAddr={HOST}:{port}",
        f"-rule.resendDelay={configurations.RESEND}",
        # Prometheus has a sample as soon as it is scraped; VictoriaMetrics may need half a minute.
        "-rule.evalDelay=0s",
        "-loggerLevel=WARN",
    )
    return ChildProcess(f"http://{HOST}:{port}", command, folder / "vmalert.log")
