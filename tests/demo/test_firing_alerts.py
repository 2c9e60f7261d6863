"""The demo reads the firing alerts from Prometheus."""

import asyncio
from collections.abc import Callable

import httpx
import msgspec
import pytest

from feldera_exporter.demo.firing_alerts import firing, read
from feldera_exporter.problems.alerts import PresentAlert

ANSWER = (
    b'{"status":"success","data":{"alerts":['
    b'{"labels":{"alertname":"B","severity":"critical","pipeline":"pipeline-1"},"state":"firing","value":"1"},'
    b'{"labels":{"alertname":"C","severity":"warning"},"state":"pending","value":"1"},'
    b'{"labels":{"alertname":"A"},"state":"firing","value":"1"}]}}'
)


def test_what_is_pending_is_not_firing() -> None:
    """Pending alerts are left out; the others are sorted by name, with the pipeline's id as Feldera writes it."""
    assert read(ANSWER) == (PresentAlert("A"), PresentAlert("B", "critical", "1"))


def test_another_answer_is_refused() -> None:
    """An answer that is not about alerts is refused."""
    with pytest.raises(msgspec.DecodeError):
        read(b"{}")


def _refuse(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


@pytest.mark.parametrize(
    ("answer", "alerts"),
    [
        (
            lambda _: httpx.Response(200, content=ANSWER),
            (PresentAlert("A"), PresentAlert("B", "critical", "1")),
        ),
        (lambda _: httpx.Response(503, content=b"busy"), None),
        (_refuse, None),
    ],
)
def test_a_prometheus_that_does_not_answer_says_nothing(
    answer: Callable[[httpx.Request], httpx.Response], alerts: tuple[PresentAlert, ...] | None
) -> None:
    """A Prometheus that does not answer gives None, which is not the same as no firing alert."""

    async def ask() -> tuple[PresentAlert, ...] | None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            return await firing(client, "http://127.0.0.1:1")

    assert asyncio.run(ask()) == alerts
