"""The demo's webhook receiver of Alertmanager's notifications."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from feldera_exporter.server.asgi import Asgi, Receive, Scope, Send
from feldera_exporter.simulator.asgi_messages import read, respond
from feldera_exporter.simulator.http_messages import empty


class _Notification(msgspec.Struct, frozen=True):
    """The part of a webhook's body that is shown (alertmanager `notify/webhook/webhook.go`, `Message`)."""

    status: str
    alerts: list[Any]
    common_labels: Mapping[str, str] = msgspec.field(name="commonLabels", default_factory=dict)


def words(path: str, body: bytes) -> str:
    """Return a notification as a line of text; the path of the webhook is the receiver's name.

    Raises:
        msgspec.DecodeError: the body is no notification.
    """
    notification = msgspec.json.decode(body, type=_Notification)
    about = notification.common_labels.get("pipeline_name")
    many = "1 alert" if len(notification.alerts) == 1 else f"{len(notification.alerts)} alerts"
    name = notification.common_labels.get("alertname", "different alerts")
    return f"notified {path.strip('/')}: {name} {notification.status}, {about or many}"


def receiver(notify: Callable[[str], None]) -> Asgi:
    """Return an ASGI function that takes notifications at any path, and calls `notify` with each as a line of text."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        request = await read(scope, receive)
        try:
            notify(words(request.path, request.body))
            status = 200
        except msgspec.DecodeError:
            status = 400
        await respond(request, empty(status), receive, send)

    return answer
