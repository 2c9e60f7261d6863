"""What receivers learn from Alertmanager's notifications: each change of an alert once, and the texts."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from feldera_exporter.server.asgi import Asgi, Receive, Scope, Send
from feldera_exporter.simulator.asgi_messages import read, respond
from feldera_exporter.simulator.http_messages import empty
from support.tools import DEBIAN, ROOT, tool

REPEATED: Final = "repeated"
"""The status of a notification without any change, which should not be sent."""


@dataclass(frozen=True, slots=True, order=True)
class AlertChange:
    """One alert that a receiver got for the first time in this status.

    Attributes:
        receiver: by the path of its webhook.
        alert: the alert's name.
        instance: the Feldera instance that it is about, if it is about one.
        pipeline: the name of the pipeline that it is about, if it is about one.
        status: `firing`, `resolved` or `REPEATED`.
    """

    receiver: str
    alert: str
    instance: str
    pipeline: str
    status: str


class _Alert(msgspec.Struct, frozen=True):
    status: str
    labels: dict[str, str]
    fingerprint: str


class _Notification(msgspec.Struct, frozen=True):
    """The part of a webhook's body that counts (alertmanager `notify/webhook/webhook.go`, `Message`)."""

    alerts: list[_Alert]


class NotificationRecord:
    """Records what each receiver got.

    A notification is about a whole group and repeats alerts that were notified before: only changes are recorded. A
    notification without any change is recorded as a repetition of each of its alerts.
    """

    def __init__(self) -> None:
        self.changes: list[AlertChange] = []
        self._known: dict[tuple[str, str], str] = {}

    def take(self, path: str, body: bytes) -> None:
        """Note a notification.

        Raises:
            msgspec.DecodeError: it is none.
        """
        receiver = path.strip("/")
        alerts = msgspec.json.decode(body, type=_Notification).alerts
        changed = [
            alert for alert in alerts if self._known.get((receiver, alert.fingerprint)) != alert.status
        ]
        for alert in changed or alerts:
            self._known[receiver, alert.fingerprint] = alert.status
            labels = alert.labels
            self.changes.append(
                AlertChange(
                    receiver,
                    labels["alertname"],
                    labels.get("feldera_instance", ""),
                    labels.get("pipeline_name", ""),
                    alert.status if changed else REPEATED,
                )
            )


def receiving(take: Callable[[str, bytes], None], status: int = 200) -> Asgi:
    """Return a webhook that hands over the path and the body of each notification."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        request = await read(scope, receive)
        take(request.path, request.body)
        await respond(request, empty(status), receive, send)

    return answer


_BETWEEN: Final = "\n=====\n"


def rendered(folder: Path, notification: dict[str, Any], *names: str, edition: str = DEBIAN) -> list[str]:
    """Return what each of some templates makes of a notification, by an edition of amtool."""
    data = folder / "data.json"
    data.write_text(json.dumps(notification))
    made = subprocess.run(
        [
            tool("amtool", edition),
            "template",
            "render",
            f"--template.glob={ROOT}/config/templates/*.tmpl",
            f"--template.data={data}",
            "--template.text=" + _BETWEEN.join(f'{{{{ template "feldera.{name}" . }}}}' for name in names),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return made.split(_BETWEEN)
