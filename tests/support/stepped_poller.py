"""A watcher and a publisher of a simulated Feldera, on a clock that tests move."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest
import structlog

from feldera_exporter.config import Configuration, Instance
from feldera_exporter.exposition.text import Format
from feldera_exporter.feldera.client import PIPELINES, Endpoint
from feldera_exporter.feldera.errors import Answer, FelderaError, UnreachableError
from feldera_exporter.feldera.list_batches import Batch
from feldera_exporter.ledger import Ledger
from feldera_exporter.metrics.catalogue import catalogue
from feldera_exporter.polling.watcher import Watcher
from feldera_exporter.problems.serialization import decoded
from feldera_exporter.publisher import Publisher
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.state.instance_settings import InstanceSettings
from feldera_exporter.store.poll_changes import NOTHING, StoredState
from feldera_exporter.store.store import Store
from feldera_exporter.telemetry import Telemetry
from support.clocks import ManualClock
from support.exporter_driver import InProcessApi, as_batches

NAME: Final = "prod"
INSTANCE: Final = Instance(NAME, "http://feldera.invalid")
POLICY: Final = InstanceSettings(Configuration((INSTANCE,)), INSTANCE)

_SAMPLE: Final = re.compile(r'(\w+)\{feldera_instance="prod"(?:,(.*))?\} (\S+)')
_PROBLEM: Final = re.compile(r'problem="(\w+)"')


class SimulatedClient:
    """Answers as a simulated Feldera, or fails.

    Attributes:
        answers: whether it does.
        wrong: by how many seconds the Date of its next answers is ahead, each in turn; then it is right.
        dated: whether its answers have a Date.
        spoil: what becomes of each body.
    """

    def __init__(self, api: InProcessApi, clock: ManualClock) -> None:
        self.answers = True
        self.wrong: list[float] = []
        self.dated = True
        self.spoil: Callable[[bytes], bytes] = bytes
        self._api = api
        self._clock = clock

    async def list(self, previous: Sequence[Batch] = (), *, within: float) -> Answer[tuple[Batch, ...]]:
        """Answer at once with the list of pipelines, and with the time in whole seconds."""
        wrong = self.wrong.pop(0) if self.wrong else 0
        date = self._clock.now() // 1_000_000 + round(wrong)
        body = as_batches(self._body(within, self._api.list), previous)
        return Answer(body, date if self.dated else None, 0.0)

    async def get(self, endpoint: Endpoint, *names: str, within: float) -> Answer[bytearray]:
        """Answer at once with the log of a pipeline."""
        assert endpoint is not PIPELINES
        return Answer(bytearray(self._body(within, lambda: self._api.log(*names))), None, 0.0)

    def redacted(self, error: FelderaError) -> FelderaError:
        """Return the error as it is: there are no secrets."""
        return error

    def _body(self, within: float, answer: Callable[[], bytes]) -> bytes:
        assert within > 0
        if not self.answers:
            raise UnreachableError("cannot connect")
        return self.spoil(answer())


class SteppedPoller:
    """An exporter of one instance whose clock tests move.

    Args:
        patch: puts the simulated clock where the exporter reads one.
        folder: of its store, None for none.

    Attributes:
        clock: Feldera's, and the monotonic one of the exporter's machine.
        wrong: by how many seconds the time of the exporter's machine is ahead of that.
        feldera: the instance.
        client: asks it.
        watcher: watches it.
        publisher: shows it.
        store: what survives a restart.
        telemetry: the exporter's own metrics.
    """

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path | None = None) -> None:
        self.clock = ManualClock()
        self.wrong = 0.0
        self.feldera = Feldera(self.clock)
        self.client = SimulatedClient(InProcessApi(self.feldera), self.clock)
        self._folder = folder
        self.store: Store | None = None
        reading = SimpleNamespace(time=self._wall, monotonic=self._now, perf_counter=time.perf_counter)
        for module in ("watcher", "log_reader"):
            patch.setattr(f"feldera_exporter.polling.{module}.time", reading)
        patch.setattr("feldera_exporter.publisher.time", reading)
        self.restart()

    def restart(self) -> None:
        """Restart the exporter with its store."""
        if self.store is not None:
            self.store.close()
        self.store = None if self._folder is None else Store.open(self._folder)
        remembered = NOTHING if self.store is None else self.store.load(NAME)
        self.telemetry = Telemetry("0", "3")
        self.telemetry.initialise(NAME)
        self.publisher = Publisher(self.telemetry)
        self.publisher.arrange([NAME], catalogue())
        self.watcher = self._watcher(INSTANCE, None, remembered)
        self.watcher.publish()

    def reload(self, **settings: Any) -> None:
        """Reload the configuration, in which the instance has some other settings."""
        instance = replace(self.watcher.instance, **settings)
        self.watcher = self._watcher(instance, self.watcher, NOTHING)
        self.watcher.publish()

    def close(self) -> None:
        """Close the store."""
        if self.store is not None:
            self.store.close()

    def poll(self, seconds: float = 5, *, every: float = 5) -> None:
        """Let time pass with polls in between, the last one at its end."""
        with asyncio.Runner() as runner:
            for _ in range(max(round(seconds / every), 1)):
                self.clock.advance(min(seconds, every))
                runner.run(self._poll())

    async def _poll(self) -> None:
        success, _ = await self.watcher.poll()
        assert success == self.client.answers

    def shown(self, family: str) -> dict[str, float]:
        """Return the values of a family, by the labels beyond the instance's name."""
        text = b"".join(map(bytes, self.publisher.snapshot.body(Format.TEXT, packed=False))).decode()
        lines = [line for line in text.splitlines() if line.startswith(family)]
        found = map(_SAMPLE.fullmatch, lines)
        return {each[2] or "": float(each[3]) for each in found if each is not None and each[1] == family}

    @property
    def problems(self) -> dict[str, float]:
        """Since when each problem of a pipeline is shown to count, 0 where it has ended, by its name."""
        shown = self.shown("feldera_pipeline_problem_since_timestamp_seconds")
        return {_PROBLEM.search(labels)[1]: value for labels, value in shown.items()}  # type: ignore[index]

    def _watcher(self, instance: Instance, before: Watcher | None, remembered: StoredState) -> Watcher:
        return Watcher(
            instance,
            InstanceSettings(Configuration((instance,)), instance),
            cast("Any", self.client),
            before.ledger if before else Ledger(NAME, remembered),
            self.store,
            self.publisher.publish,
            self.telemetry,
            structlog.get_logger("feldera_exporter"),
            before,
            decoded(remembered.problems),
            remembered.names,
        )

    def _now(self) -> float:
        return self.clock.now() / 1e6

    def _wall(self) -> float:
        return self._now() + self.wrong
