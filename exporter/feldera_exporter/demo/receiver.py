"""The demo's webhook receiver of Alertmanager's notifications."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from feldera_exporter.server.asgi import Asgi, Receive, Scope, Send

Notify = Callable[[str], None]
"""Called with each notification as a line of text."""


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


def receiver(notify: Notify) -> Asgi:
    """Return an ASGI function that takes notifications at any path."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        try:
            notify(words(scope["path"], body))
            status = 200
        except msgspec.DecodeError:
            status = 400
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    return answer
