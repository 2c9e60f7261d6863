"""Lists of any number of pipelines as Feldera answers them, and what changes in them from poll to poll."""

import random
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


class Pipelines:
    """A list of running pipelines; `seed` makes it the same in every run."""

    def __init__(self, size: int, seed: int = 1) -> None:
        self._random = random.Random(seed)
        example = msgspec.json.decode(EXAMPLE.read_bytes())
        ids = sorted(str(UUID(int=self._random.getrandbits(128), version=4)) for _ in range(size))
        self._elements: list[dict[str, Any]] = [
            {**example, "id": one, "name": f"pipeline-{number}"} for number, one in enumerate(ids)
        ]

    def body(self) -> bytes:
        """Return the answer of `GET /v0/pipelines?selector=status`."""
        return msgspec.json.encode(self._elements)

    def happen(self, share: float) -> None:
        """Let something happen to a share of the pipelines, but to one at least unless the share is 0."""
        for element in self._some(share):
            minute, second = self._random.randrange(60), self._random.randrange(60)
            element["deployment_desired_status_since"] = f"2026-08-21T09:{minute:02}:{second:02}Z"

    def report(self, share: float) -> None:
        """Let a share of the pipelines report connector statistics: only their `refresh_version` moves."""
        for element in self._some(share):
            element["refresh_version"] += 1

    def _some(self, share: float) -> list[dict[str, Any]]:
        size = len(self._elements)
        return self._random.sample(self._elements, k=max(1, round(share * size)) if share else 0)
