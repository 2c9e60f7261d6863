"""One exporter whose problems are notified by both ways: by Prometheus with the rules, and by the exporter itself."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from feldera_exporter.demo import child_programs
from feldera_exporter.demo.child_programs import HOST, free_port
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.server import FelderaServer
from support.alertmanagers import Alertmanager
from support.child_process import ChildProcess
from support.notifications import receiving
from support.tools import tool
from support.two_instances import RunningExporter, running, until

EVERY: Final = "1s"
"""How often is polled, scraped and evaluated."""

POSSIBLE: Final = ("rules", "bridge")
"""The two ways."""


@dataclass
class WebhookReceiver:
    """The notifications that came by one way.

    Attributes:
        notifications: when each came, in seconds since the epoch, and its body.
        at: by fingerprint and status, when that was first heard of, seconds since the epoch.
    """

    notifications: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    at: dict[tuple[str, str], float] = field(default_factory=dict)
    alerts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def take(self, _path: str, body: bytes) -> None:
        """Take a notification."""
        notification = msgspec.json.decode(body)
        notification["alerts"] = [each for each in notification["alerts"] if _about_feldera(each["labels"])]
        if notification["alerts"]:
            self.notifications.append((time.time(), notification))
        for each in notification["alerts"]:
            self.at.setdefault((each["fingerprint"], each["status"]), time.time())
            self.alerts[each["fingerprint"]] = each

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The notifications."""
        return [body for _, body in self.notifications]

    def labels(self, status: str) -> set[frozenset[tuple[str, str]]]:
        """Return the labels of all alerts that were heard of in a status."""
        return {
            frozenset(self.alerts[fingerprint]["labels"].items())
            for fingerprint, each in self.at
            if each == status
        }


def _about_feldera(labels: dict[str, str]) -> bool:
    return "feldera_instance" in labels and not labels["alertname"].startswith(
        ("FelderaExporter", "FelderaApi")
    )


@dataclass
class BothWays:
    """The running programs, and what came by each way.

    Attributes:
        feldera: the stand-in of Feldera.
        exporter: the program.
        received: by the way.
    """

    feldera: Feldera
    exporter: RunningExporter
    received: dict[str, WebhookReceiver]

    def received_alerts(self, status: str, count: int) -> bool:
        """Return whether at least so many alerts came in a status, by both ways."""
        return all(len(each.labels(status)) >= count for each in self.received.values())


@contextmanager
def both_ways(folder: Path, feldera: Feldera, more: str = "") -> Iterator[BothWays]:
    """Run everything until the context ends.

    Args:
        folder: an empty one.
        feldera: the stand-in.
        more: further keys of the exporter's configuration.
    """
    received = {way: WebhookReceiver() for way in POSSIBLE}
    with ExitStack() as stack:
        alertmanagers = {}
        for way in POSSIBLE:
            alertmanagers[way] = Alertmanager(
                folder / way, stack.enter_context(serve(receiving(received[way].take)))
            )
            stack.callback(alertmanagers[way].stop)
            alertmanagers[way].start()
        api = stack.enter_context(serve(FelderaServer(feldera)))
        until(lambda: all(each.ready for each in alertmanagers.values()), 30)
        instances = f"instances: [{{name: prod, url: '{api}', poll_interval: {EVERY}}}]\n{more}"
        bridge = f"alertmanager: {{urls: ['{alertmanagers['bridge'].url}']}}\n"
        exporter = stack.enter_context(running(folder, instances + bridge))
        until(lambda: 'feldera_up{feldera_instance="prod"} 1' in exporter.page())
        (folder / "rules-only.yml").write_text(instances)
        prometheus = _prometheus(folder, exporter.url, alertmanagers["rules"].url)
        stack.callback(prometheus.stop)
        prometheus.start()
        until(lambda: prometheus.ready and _knows(prometheus), 60)
        yield BothWays(feldera, exporter, received)


def _knows(prometheus: ChildProcess) -> bool:
    """Return whether it has scraped the exporter and knows its Alertmanager."""
    up = prometheus.get("/api/v1/query", query="feldera:exporter:trusted")
    known = prometheus.get("/api/v1/alertmanagers")
    return bool(up and known and up.json()["data"]["result"] and known.json()["data"]["activeAlertmanagers"])


def _prometheus(folder: Path, exporter: str, alertmanager: str) -> ChildProcess:
    command = (
        sys.executable,
        "-m",
        "feldera_exporter",
        "rules",
        f"--config.file={folder / 'rules-only.yml'}",
    )
    printed = yaml.safe_load(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    for group in printed["groups"]:
        group["interval"] = EVERY
    (folder / "rules.yml").write_text(yaml.safe_dump(printed))
    job = {
        "job_name": "feldera-exporter",
        "static_configs": [{"targets": [exporter.removeprefix("http://")]}],
    }
    file = folder / "prometheus.yml"
    targets = [{"targets": [alertmanager.removeprefix("http://")]}]
    file.write_text(
        yaml.safe_dump(
            {
                "global": {"scrape_interval": EVERY, "scrape_timeout": EVERY, "evaluation_interval": EVERY},
                "rule_files": ["rules.yml"],
                "scrape_configs": [job],
                "alerting": {"alertmanagers": [{"static_configs": targets}]},
            }
        )
    )
    port = free_port()
    words = child_programs.prometheus(Path(tool("prometheus")), lambda _: file, folder / "prometheus")
    return ChildProcess(f"http://{HOST}:{port}", words(port), folder / "prometheus.log")
