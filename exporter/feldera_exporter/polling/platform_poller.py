"""Polls what an instance says about itself: its version, tenant, license and services, each at its own slow pace."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from feldera_exporter.feldera.client import CLUSTER_HEALTH, CONFIG, SESSION, Client, Endpoint
from feldera_exporter.feldera.errors import INTERNAL_ERROR, FelderaError
from feldera_exporter.feldera.platform import Platform, with_config, with_health, with_session, without_health
from feldera_exporter.logs import FailureLog, Logger, source_location
from feldera_exporter.micros import Micros
from feldera_exporter.polling.schedule import MAX_BACKOFF
from feldera_exporter.polling.watcher import Watcher


@dataclass(frozen=True, slots=True)
class Question:
    """An endpoint that is requested at a fixed pace.

    Attributes:
        endpoint: the endpoint.
        every: seconds between two answers.
        update: returns the platform after an answer.
        expire: returns the platform after too long a time without an answer, given Feldera's time.
    """

    endpoint: Endpoint
    every: float
    update: Callable[[Platform, bytes | bytearray], Platform]
    expire: Callable[[Platform, Micros], Platform] = lambda platform, _now: platform


QUESTIONS: Final = (
    Question(CONFIG, 600, with_config),
    Question(SESSION, 600, with_session),
    # Feldera's monitor itself looks every 10 s.
    Question(CLUSTER_HEALTH, 30, with_health, without_health),
)
_RETRY: Final = 30.0
"""Seconds until the next request after a failed one."""


class PlatformPoller:
    """Polls the platform of one instance.

    Args:
        watcher: shows the platform, and knows the instance, Feldera's time and whether Feldera answers.
        log: with the instance's name.
        spread: seconds within which the first requests are made, each at a random instant.
    """

    def __init__(self, client: Client, watcher: Watcher, log: Logger, spread: float) -> None:
        self._client = client
        self._watcher = watcher
        self._log = log
        self._spread = spread

    async def run(self) -> None:
        """Request every endpoint at its pace, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for question in QUESTIONS:
                group.create_task(self._repeat(question))

    async def _ask(self, question: Question) -> None:
        answer = await self._client.get(question.endpoint, within=self._watcher.instance.timeout)
        self._watcher.set_platform(question.update(self._watcher.fleet.platform, answer.body))

    async def _repeat(self, question: Question) -> None:
        name = question.endpoint.name
        failures = FailureLog(self._log, f"no answer from {name}", f"{name} answers again")
        answered_at, failed = time.monotonic(), False
        await asyncio.sleep(random.uniform(0, self._spread))  # noqa: S311
        while True:
            pause = _RETRY
            try:
                await self._ask(question)
            except FelderaError as error:
                pause = max(_RETRY, min(error.retry_after, MAX_BACKOFF))
                # While the list cannot be read either, the log says so already. It does after at most one poll.
                if failed and self._watcher.polled:
                    failures.failed(error.outcome, error)
                failed = True
            except Exception as error:  # noqa: BLE001 - a bug must not end the other requests
                failures.failed(INTERNAL_ERROR, type(error).__name__, source=source_location(error))
            else:
                failures.succeeded()
                answered_at, failed = time.monotonic(), False
                await asyncio.sleep(question.every)
                continue
            if time.monotonic() - answered_at >= self._watcher.instance.staleness:
                platform = question.expire(self._watcher.fleet.platform, self._watcher.now())
                self._watcher.set_platform(platform)
            await asyncio.sleep(pause)
