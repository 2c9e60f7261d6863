"""Simulated instances for the tests of the stand-in."""

from typing import Any

import httpx

from feldera_exporter.micros import SECOND
from feldera_exporter.simulator.events import EventRow
from feldera_exporter.simulator.plan import Plan
from support.clocks import ManualClock
from support.disturbed_server import DisturbedServer
from support.ground_truth import RecordedFeldera


class SimulatedInstance:
    """An instance on a clock that tests move, with one compiled pipeline `a`."""

    def __init__(self, plan: Plan | None = None, **options: Any) -> None:
        self.clock = ManualClock()
        self.feldera = RecordedFeldera(self.clock, **options)
        self.feldera.create("a", plan=plan)
        self.go(60)

    def go(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)
        self.feldera.settle()

    def run(self, seconds: float = 60) -> None:
        """Start `a` and let time pass."""
        self.feldera.start("a")
        self.go(seconds)

    @property
    def status(self) -> str:
        """The combined status of `a`."""
        return self.feldera.get("a").row.status

    @property
    def events(self) -> list[EventRow]:
        """The events of `a`, oldest first as Feldera lists them."""
        return self.feldera.get("a").log.newest_first()[::-1]

    @property
    def scenario(self) -> list[tuple[Any, ...]]:
        """The statuses in the events of `a`, oldest first, without equal neighbours."""
        lines: list[tuple[Any, ...]] = []
        for event in self.events:
            statuses = event.statuses
            line = (
                statuses.resources,
                statuses.resources_desired,
                statuses.runtime,
                statuses.runtime_desired,
                statuses.has_error,
                statuses.program,
                statuses.storage,
            )
            if not lines or lines[-1] != line:
                lines.append(line)
        return lines

    @property
    def error(self) -> str | None:
        """The code of the error of `a`."""
        error = self.feldera.get("a").row.error
        return None if error is None else error.error_code

    def seconds(self) -> dict[str | None, float]:
        """How long `a` has been in each combined status."""
        pipeline = self.feldera.get("a")
        spent = self.feldera.truth[pipeline.id].time_in_status(self.clock.now())
        return {status: micros / SECOND for status, micros in spent.items()}


class ServedInstance(SimulatedInstance):
    """A simulated instance with a server."""

    def __init__(self) -> None:
        super().__init__()
        self.server = DisturbedServer(self.feldera)
        self.url = ""
        self.client: httpx.Client | None = None

    def attach(self, url: str, client: httpx.Client) -> None:
        """Use this client, of this URL, from now on."""
        self.url, self.client = url, client

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Send a GET with some headers."""
        assert self.client is not None
        return self.client.get(path, headers={key.replace("_", "-"): value for key, value in headers.items()})

    def post(self, path: str, **headers: str) -> httpx.Response:
        """Send a POST without a body."""
        assert self.client is not None
        return self.client.post(path, headers=headers)
