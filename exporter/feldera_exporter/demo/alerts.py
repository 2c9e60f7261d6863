"""The alerts that Prometheus has firing."""

from typing import Final

import httpx
import msgspec

from feldera_exporter.problems.alerts import Alert

_TIMEOUT: Final = 2.0


class _Active(msgspec.Struct, frozen=True):
    labels: dict[str, str]
    state: str


class _Data(msgspec.Struct, frozen=True):
    alerts: list[_Active]


class _Answer(msgspec.Struct, frozen=True):
    data: _Data


def read(body: bytes) -> tuple[Alert, ...]:
    """Return the firing alerts of an answer of `/api/v1/alerts`, in order of their names.

    Raises:
        msgspec.DecodeError: it is no such answer.
    """
    answer = msgspec.json.decode(body, type=_Answer)
    return tuple(
        sorted(
            Alert(
                one.labels.get("alertname", ""),
                one.labels.get("severity", ""),
                one.labels.get("pipeline", "").removeprefix("pipeline-"),
            )
            for one in answer.data.alerts
            if one.state == "firing"
        )
    )


async def firing(client: httpx.AsyncClient, prometheus: str) -> tuple[Alert, ...] | None:
    """Return what the Prometheus at an address says is firing, None while it says nothing."""
    try:
        return read((await client.get(f"{prometheus}/api/v1/alerts", timeout=_TIMEOUT)).content)
    except (httpx.HTTPError, msgspec.DecodeError):
        return None
