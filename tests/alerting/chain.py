"""The whole chain from Feldera to the receiver: stand-ins, two exporters, Prometheus, Alertmanager, a webhook."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from alerting import configurations
from alerting.child import Child
from alerting.news import Notebook
from feldera_exporter.demo import programs
from feldera_exporter.demo.configurations import ALERTMANAGER, PROMETHEUS, RECEIVER, address
from feldera_exporter.demo.programs import HOST, free_port
from feldera_exporter.server.asgi import Asgi, Receive, Scope, Send
from feldera_exporter.simulator.clock import ScaledClock
from feldera_exporter.simulator.faults import EVERY, UNAVAILABLE
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.plan import INSTANT
from feldera_exporter.simulator.server import FelderaServer
from feldera_exporter.simulator.serving import serve
from tools import tool

REPLICAS: Final = ("a", "b")


class Place:
    """A Feldera instance of now, with a door of its own for each replica of the exporter.

    Attributes:
        feldera: the instance.
        doors: its servers by replica.
    """

    def __init__(self) -> None:
        self.feldera = Feldera(ScaledClock(time.time_ns() // 1000), plan=INSTANT)
        self.doors = {replica: FelderaServer(self.feldera) for replica in REPLICAS}

    def close(self, *replicas: str) -> None:
        """Let the API fail for some replicas, for all if none is named."""
        for replica in replicas or REPLICAS:
            self.doors[replica].faults.set(EVERY, UNAVAILABLE)

    def open(self) -> None:
        """Let the API answer everybody again."""
        for door in self.doors.values():
            door.faults.clear()


class Chain:
    """What runs.

    Attributes:
        places: the Feldera instances by their names.
        exporters: the replicas of the exporter.
        prometheus: evaluates the rules.
        alertmanager: notifies.
        notebook: what receivers heard.
    """

    def __init__(
        self,
        places: Mapping[str, Place],
        exporters: Mapping[str, Child],
        prometheus: Child,
        alertmanager: Child,
        notebook: Notebook,
    ) -> None:
        self.places = places
        self.exporters = exporters
        self.prometheus = prometheus
        self.alertmanager = alertmanager
        self.notebook = notebook

    @property
    def children(self) -> tuple[Child, ...]:
        """Every program."""
        return *self.exporters.values(), self.prometheus, self.alertmanager

    def ready(self) -> bool:
        """Tell whether all programs answer, and Prometheus knows where Alertmanager is: it looks for it every 5 s."""
        if not all(child.ready for child in self.children):
            return False
        answer = self.prometheus.get("/api/v1/alertmanagers")
        return answer is not None and answer.json()["data"]["activeAlertmanagers"] != []

    def gives(self, query: str) -> bool:
        """Tell whether Prometheus finds anything."""
        answer = self.prometheus.get("/api/v1/query", query=query)
        return answer is not None and answer.json()["data"]["result"] != []

    def scraped(self, began: float) -> bool:
        """Tell whether Prometheus has seen both exporters since they started after an instant."""
        seen = f'count(process_start_time_seconds{{job="feldera-exporter"}} > {began})'
        return self.gives(f"{seen} == {len(self.exporters)}")

    def rounds(self) -> int:
        """Return how many times Prometheus, since it started, has evaluated the rules."""
        answer = self.prometheus.get("/metrics")
        found = re.search(
            r"^prometheus_rule_group_iterations_total\{[^}]*\} (\d+)",
            answer.text if answer else "",
            re.MULTILINE,
        )
        return int(found[1]) if found else 0

    def shows(self, replica: str, instance: str, pipeline: str, status: str) -> bool:
        """Tell whether a replica of the exporter shows a pipeline in a status."""
        answer = self.exporters[replica].get("/metrics")
        wanted = (f'feldera_instance="{instance}"', f'pipeline_name="{pipeline}"', f'status="{status}"')
        return any(
            line.startswith("feldera_pipeline_deployment_status{")
            and line.endswith(" 1")
            and all(label in line for label in wanted)
            for line in (answer.text if answer else "").splitlines()
        )

    def active(self) -> set[str]:
        """Return the names of the alerts that Alertmanager holds."""
        answer = self.alertmanager.get("/api/v2/alerts")
        assert answer is not None
        return {alert["labels"]["alertname"] for alert in answer.json()}


def _receiving(notebook: Notebook) -> Asgi:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        notebook.take(scope["path"], body)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    return answer


@contextmanager
def chain(
    folder: Path, places: Mapping[str, Place], limits: Mapping[str, Mapping[str, str]]
) -> Iterator[Chain]:
    """Run the chain until the context ends.

    Args:
        folder: an empty one.
        places: the instances by name.
        limits: the limits of the pipelines that have short ones, by their name.
    """
    notebook = Notebook()
    with ExitStack() as stack:
        receiver = stack.enter_context(serve(_receiving(notebook)))
        exporters = {}
        for replica in REPLICAS:
            doors = {name: stack.enter_context(serve(place.doors[replica])) for name, place in places.items()}
            exporters[replica] = _exporter(folder / replica, configurations.exporter(doors, limits))
        rules = folder / "feldera.rules.yml"
        rules.write_text(configurations.rules(_printed(folder / "a/exporter.yml")), encoding="utf-8")
        addresses = {RECEIVER: address(receiver)}
        alertmanager = _beside(folder, "alertmanager", configurations.alertmanager(addresses))
        addresses |= {ALERTMANAGER: address(alertmanager.url), PROMETHEUS: f"{HOST}:0"}
        targets = [address(exporter.url) for exporter in exporters.values()]
        prometheus = _beside(folder, "prometheus", configurations.prometheus(rules, targets, addresses))
        running = Chain(places, exporters, prometheus, alertmanager, notebook)
        for child in running.children:
            stack.callback(child.stop)
            child.start()
        yield running


def _exporter(folder: Path, configuration: str) -> Child:
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
    return Child(f"http://{HOST}:{port}", command, folder / "exporter.log")


def _printed(configuration: Path) -> str:
    command = (sys.executable, "-m", "feldera_exporter", "rules", f"--config.file={configuration}")
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


_STARTS: Final = {"prometheus": programs.prometheus, "alertmanager": programs.alertmanager}
_NAMES: Final = {"prometheus": "prometheus", "alertmanager": "prometheus-alertmanager"}


def _beside(folder: Path, name: str, configuration: str) -> Child:
    file = folder / f"{name}.yml"
    file.write_text(configuration, encoding="utf-8")
    port = free_port()
    command = _STARTS[name](Path(tool(_NAMES[name])), lambda _: file, folder / name)
    return Child(f"http://{HOST}:{port}", command(port), folder / f"{name}.log")
