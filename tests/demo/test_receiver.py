"""The demo's receiver puts Alertmanager's notifications in words."""

import asyncio

import httpx
import msgspec
import pytest

from feldera_exporter.demo.receiver import receiver, words


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (
            {
                "status": "firing",
                "alerts": [{}],
                "commonLabels": {"alertname": "A", "pipeline_name": "orders"},
            },
            "notified pager: A firing, orders",
        ),
        (
            {"status": "resolved", "alerts": [{}, {}], "commonLabels": {"alertname": "A"}},
            "notified pager: A resolved, 2 alerts",
        ),
        ({"status": "firing", "alerts": [{}]}, "notified pager: different alerts firing, 1 alert"),
    ],
)
def test_a_notification_in_words(body: object, line: str) -> None:
    """The line names the receiver, the alert, and the pipeline or the number of alerts."""
    assert words("/pager", msgspec.json.encode(body)) == line


def test_what_is_no_notification_is_refused() -> None:
    """What is no notification is refused with 400, and no line is printed."""
    line: list[str] = []

    async def post(body: bytes) -> int:
        transport = httpx.ASGITransport(receiver(line.append))
        async with httpx.AsyncClient(transport=transport, base_url="http://demo") as client:
            return (await client.post("/tickets", content=body)).status_code

    assert asyncio.run(post(b"hello")) == 400
    assert line == []
    assert asyncio.run(post(b'{"status": "firing", "alerts": []}')) == 200
    assert line == ["notified tickets: different alerts firing, 0 alerts"]
