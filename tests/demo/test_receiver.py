"""Alertmanager's notifications are received and told."""

import asyncio

import httpx
import msgspec
import pytest

from feldera_exporter.demo.receiver import receiver, words


@pytest.mark.parametrize(
    ("body", "told"),
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
def test_a_notification_is_told_in_words(body: object, told: str) -> None:
    """Who was notified, of what, and about whom or how many."""
    assert words("/pager", msgspec.json.encode(body)) == told


def test_what_is_no_notification_is_refused() -> None:
    """With 400, and nothing is told."""
    told: list[str] = []

    async def post(body: bytes) -> int:
        transport = httpx.ASGITransport(receiver(told.append))
        async with httpx.AsyncClient(transport=transport, base_url="http://demo") as client:
            return (await client.post("/tickets", content=body)).status_code

    assert asyncio.run(post(b"hello")) == 400
    assert told == []
    assert asyncio.run(post(b'{"status": "firing", "alerts": []}')) == 200
    assert told == ["notified tickets: different alerts firing, 0 alerts"]
