"""Reads the firing alerts from Prometheus."""

from typing import Final

import httpx
import msgspec

from feldera_exporter.problems.alerts import PresentAlert

_TIMEOUT_SECONDS: Final = 2.0


class _Active(msgspec.Struct, frozen=True):
    labels: dict[str, str]
    state: str


class _Data(msgspec.Struct, frozen=True):
    alerts: list[_Active]


class _Answer(msgspec.Struct, frozen=True):
    data: _Data


def read(body: bytes) -> tuple[PresentAlert, ...]:
    """Return the firing alerts in a response of `/api/v1/alerts`, sorted.

    Raises:
        msgspec.DecodeError: it is no such response.
    """
    answer = msgspec.json.decode(body, type=_Answer)
    return tuple(
        sorted(
            PresentAlert(
                alert.labels.get("alertname", ""),
                alert.labels.get("severity", ""),
                alert.labels.get("pipeline", "").removeprefix("pipeline-"),
            )
            for alert in answer.data.alerts
            if alert.state == "firing"
        )
    )


async def firing(client: httpx.AsyncClient, prometheus: str) -> tuple[PresentAlert, ...] | None:
    """Return the firing alerts of Prometheus at an address; None if it does not answer."""
    try:
        return read((await client.get(f"{prometheus}/api/v1/alerts", timeout=_TIMEOUT_SECONDS)).content)
    except (httpx.HTTPError, msgspec.DecodeError):
        return None
