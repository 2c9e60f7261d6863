"""Helpers of the bridge's tests: a real Alertmanager with one receiver, and a stand-in of Alertmanager."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from feldera_exporter.demo import child_programs
from feldera_exporter.demo.child_programs import HOST, free_port
from feldera_exporter.simulator.asgi_messages import read
from feldera_exporter.simulator.asgi_thread import serve
from support.child_process import ChildProcess
from support.notifications import NotificationRecord, receiving
from support.tools import tool


class Alertmanager(ChildProcess):
    """A real Alertmanager whose only receiver records notifications; it waits for nothing before it notifies."""

    def __init__(self, folder: Path, receiver: str, *flags: str) -> None:
        folder.mkdir(parents=True)
        file = folder / "alertmanager.yml"
        route = {"group_wait": "0s", "group_interval": "1s", "repeat_interval": "1h", "receiver": "all"}
        webhook = {"url": f"{receiver}/all", "send_resolved": True}
        file.write_text(
            yaml.safe_dump(
                {
                    "route": {**route, "group_by": ["..."]},
                    "receivers": [{"name": "all", "webhook_configs": [webhook]}],
                }
            )
        )
        port = free_port()
        words = child_programs.alertmanager(
            Path(tool("prometheus-alertmanager")), lambda _: file, folder / "data"
        )
        super().__init__(f"http://{HOST}:{port}", [*words(port), *flags], folder / "alertmanager.log")

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that it holds and that have not ended."""
        answer = self.get("/api/v2/alerts")
        assert answer is not None
        return list(answer.json())

    def names(self) -> set[str]:
        """Return the names of those alerts."""
        return {alert["labels"]["alertname"] for alert in self.alerts()}


@contextmanager
def alertmanager(folder: Path, record: NotificationRecord) -> Iterator[Alertmanager]:
    """Run an Alertmanager until the context ends."""
    with serve(receiving(record.take)) as url:
        running = Alertmanager(folder, url)
        running.start()
        try:
            yield running
        finally:
            running.stop()


Answer = tuple[int, Mapping[str, str], bytes]
GOOD: Answer = (200, {}, b"")


@dataclass
class AlertmanagerRecorder:
    """A stand-in of Alertmanager that keeps what it is sent.

    Attributes:
        answer: gives the answer to a request, by its path and body.
        held: what `GET /api/v2/alerts` returns.
        posts: the bodies that came, in order.
        paths: of all requests.
        headers: of the last request.
    """

    answer: Callable[[str, bytes], Answer] = lambda _path, _body: GOOD
    held: list[dict[str, Any]] = field(default_factory=list)
    posts: list[list[dict[str, Any]]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        request = await read(scope, receive)
        self.headers = dict(request.headers)
        self.paths.append(request.path)
        if request.method == "POST":
            self.posts.append(json.loads(request.body))
        status, headers, content = self.answer(request.path, request.body)
        if request.method == "GET" and status == 200 and not content:
            content = json.dumps(self.held).encode()
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        pairs.append((b"content-length", str(len(content)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": content})

    @property
    def alerts(self) -> list[dict[str, Any]]:
        """Every alert that came, in order."""
        return [alert for post in self.posts for alert in post]


def instant(text: str) -> datetime:
    """Return an instant of an alert."""
    return datetime.fromisoformat(text)
