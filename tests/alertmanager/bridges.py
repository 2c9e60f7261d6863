"""Helpers of the bridge's tests: an instance's polls, and a bridge to given addresses."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from feldera_exporter.alertmanager.bridge import Bridge
from feldera_exporter.config import Alertmanager
from feldera_exporter.pages.latest_events import LatestEvents
from feldera_exporter.problems.evaluate import NO_PROBLEMS, Ended, InstanceWithProblems, Occurrence, Problems
from feldera_exporter.rules.rendering import RuleOptions
from feldera_exporter.state.fleet import Fleet
from feldera_exporter.state.pipeline import Pipeline
from feldera_exporter.telemetry import Telemetry

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND


def stuck(name: str, status: str = "Provisioning") -> Occurrence:
    """Return the problem of a pipeline that is stuck."""
    return Occurrence(f"Stuck{status}", status, f"id-{name}", name, (("team", "data"), ("tier", "")))


@dataclass
class Polls:
    """The results of one instance's polls.

    Attributes:
        bridge: takes it in.
        now: Feldera's time, in microseconds.
        name: of the instance.
        problems: as they were found last.
        pipelines: as they are known.
    """

    bridge: Bridge
    now: int = 0
    name: str = "prod"
    problems: Problems = NO_PROBLEMS
    pipelines: dict[str, Pipeline] = field(default_factory=dict)

    def find(self, *occurrences: Occurrence) -> None:
        """Find these problems and no others: those that were there before keep their beginning."""
        before, self.now = self.problems, max(self.now + 1, round(time.time() * SECOND))
        present = {each: before.present.get(each, self.now) for each in occurrences}
        ended = {each: ending for each, ending in before.ended.items() if each not in present}
        ended |= {
            each: Ended(since, self.now) for each, since in before.present.items() if each not in present
        }
        self.problems = Problems(present, ended)
        self.show()

    def show(self, at: int | None = None) -> None:
        """Poll once more, now or at an instant by Feldera's clock, and find the same."""
        self.now = max(self.now + 1, round(time.time() * SECOND)) if at is None else at
        fleet = Fleet(self.name, up=True, pipelines=self.pipelines, read_at=self.now)
        self.bridge.observe(InstanceWithProblems(fleet, self.problems))


async def nothing_known(_instance: str, _id: str, _name: str) -> LatestEvents:
    """Answer as Feldera does about a pipeline without a log."""
    return LatestEvents(problem="no log")


def bridge(*urls: str, **more: Any) -> Bridge:
    """Return a bridge of the instances `prod` and `other` to these addresses."""
    recent = more.pop("recent", nothing_known)
    before = more.pop("before", None)
    telemetry = more.pop("telemetry", None) or Telemetry("1", "3")
    configured = Alertmanager(urls=urls, **{"timeout": 2.0, **more})
    return Bridge(
        configured, ("prod", "other"), RuleOptions(), recent, telemetry, structlog.get_logger(), before
    )


@asynccontextmanager
async def running(made: Bridge) -> AsyncIterator[Bridge]:
    """Let a bridge run until the context ends."""
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[..., Any], *arguments: object, seconds: float = 10.0) -> Any:
    """Return what a condition gives for arguments once it is truthy."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not (found := condition(*arguments)):
        assert loop.time() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)
    return found


async def never(condition: Callable[..., Any], *arguments: object, seconds: float = 0.3) -> None:
    """Wait for a while, in which something must not become true."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while loop.time() < deadline:
        assert not condition(*arguments)
        await asyncio.sleep(0.01)
