"""Lists of any number of pipelines as Feldera answers them, and their changes from poll to poll."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec

EXAMPLE: Final = Path(__file__).resolve().parent.parent / "metrics/golden/running.json"
"""One running pipeline of a real answer."""

BEGAN: Final = 1_787_314_200_000_000
"""Microseconds by Feldera's clock: when the first of the polls is."""

INTERVAL: Final = 5_000_000
"""Microseconds between two polls."""

_LIFE: Final = ("pause", "resume", "stop", "start")
"""What users do to each pipeline, over and over."""

_Step = tuple[str, str | None, str, str | None]
"""Resources, runtime, resources desired, runtime desired: what one event says."""

_STEPS: Final[dict[str, tuple[_Step, ...]]] = {
    "pause": (("Provisioned", "Paused", "Provisioned", "Paused"),),
    "resume": (("Provisioned", "Running", "Provisioned", "Running"),),
    "stop": (
        ("Provisioned", "Running", "Stopped", "Running"),
        ("Stopping", None, "Stopped", None),
        ("Stopped", None, "Stopped", None),
    ),
    "start": (
        ("Stopped", None, "Provisioned", None),
        ("Provisioning", None, "Provisioned", None),
        ("Provisioned", "Initializing", "Provisioned", "Running"),
        ("Provisioned", "Running", "Provisioned", "Running"),
    ),
}
"""The events that each of these has, as the runner and the API write them."""


_PROVISIONING: Final[_Step] = ("Provisioning", None, "Provisioned", None)
_MINUTE: Final = 60_000_000
"""In microseconds; Provisioning may last ten of them."""


class PipelineListGenerator:
    """A list of pipelines with their event logs.

    Args:
        size: how many.
        provisioning: whether all are Provisioning, each since another instant of the last minute; otherwise all are
            Running.
        seed: makes it the same in every run.
    """

    def __init__(self, size: int, *, provisioning: bool = False, seed: int = 1) -> None:
        self._random = random.Random(seed)
        example = msgspec.json.decode(EXAMPLE.read_bytes())
        ids = sorted(str(UUID(int=self._random.getrandbits(128), version=4)) for _ in range(size))
        self._elements: list[dict[str, Any]] = [
            {**example, "id": pipeline_id, "name": f"pipeline-{number}"}
            for number, pipeline_id in enumerate(ids)
        ]
        if provisioning:
            for number, element in enumerate(self._elements):
                _move(element, _PROVISIONING, _text(BEGAN - number * _MINUTE // size))
        self._logs: dict[str, list[bytes]] = {}
        self._next = dict.fromkeys(ids, 0)

    def body(self) -> bytes:
        """Return the answer of `GET /v0/pipelines?selector=status`."""
        return msgspec.json.encode(self._elements)

    def log(self, name: str, *_: str) -> bytes:
        """Return the answer of `GET /v0/pipelines/{name}/events?selector=status`."""
        return b"[%b]" % b",".join(reversed(self._logs.get(name, [])))

    def happen(self, share: float, at: int) -> None:
        """Let users pause, resume, stop and start a share of the pipelines before an instant.

        One at least, unless the share is 0; whatever each does is over by then.
        """
        for element in self._some(share):
            act = _LIFE[self._next[element["id"]]]
            self._next[element["id"]] = (self._next[element["id"]] + 1) % len(_LIFE)
            steps = _STEPS[act]
            log = self._logs.setdefault(element["name"], [])
            for number, step in enumerate(steps):
                moment = at - (len(steps) - number) * 500_000 - self._random.randrange(400_000)
                _move(element, step, _text(moment))
                log.append(_event(element, moment, len(log)))

    def report(self, share: float) -> None:
        """Let a share of the pipelines report connector statistics: only their `refresh_version` moves."""
        for element in self._some(share):
            element["refresh_version"] += 1

    def _some(self, share: float) -> list[dict[str, Any]]:
        size = len(self._elements)
        return self._random.sample(self._elements, k=max(1, round(share * size)) if share else 0)


def _text(micros: int) -> str:
    return (
        datetime.fromtimestamp(micros / 1_000_000, UTC)
        .isoformat(timespec="microseconds")
        .replace("+00:00", "Z")
    )


def _fields(step: _Step) -> Iterator[tuple[str, str | None]]:
    resources, runtime, resources_desired, runtime_desired = step
    yield "deployment_status", runtime if resources == "Provisioned" else resources
    yield (
        "deployment_desired_status",
        runtime_desired or ("Stopped" if resources_desired == "Stopped" else "Running"),
    )
    yield "deployment_resources_status", resources
    yield "deployment_resources_desired_status", resources_desired
    yield "deployment_runtime_status", runtime
    yield "deployment_runtime_desired_status", runtime_desired


def _move(element: dict[str, Any], step: _Step, at: str) -> None:
    """Write a step into an element; each `since` moves with its value, and is null with it."""
    for field, value in _fields(step):
        if element[field] != value:
            element[field] = value
            element[f"{field}_since"] = at if value is not None else None
    element["refresh_version"] += 1


def _event(element: dict[str, Any], at: int, serial: int) -> bytes:
    digits = f"{at // 1000:012x}"
    return msgspec.json.encode(
        {
            "event_id": f"{digits[:8]}-{digits[8:]}-7{serial % 4096:03x}-8000-000000000000",
            "recorded_at": _text(at),
            "deployment_has_error": False,
            **{
                field: element[field]
                for field in (
                    "deployment_resources_status",
                    "deployment_resources_desired_status",
                    "deployment_runtime_status",
                    "deployment_runtime_desired_status",
                    "program_status",
                    "storage_status",
                )
            },
        }
    )
