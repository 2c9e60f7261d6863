"""The surroundings of an instance's pipelines: its version, tenant, license and services, each at its own slow pace."""

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
from feldera_exporter.polling.schedule import MAX_BACKOFF


def _kept(platform: Platform, _at: int) -> Platform:
    return platform


@dataclass(frozen=True, slots=True)
class Question:
    """Something to ask now and then.

    Attributes:
        endpoint: where.
        every: seconds between two answers.
        take: adds an answer to what is known.
        outdated: takes in that there was no answer for too long, and the instant by Feldera's clock.
    """

    endpoint: Endpoint
    every: float
    take: Callable[[Platform, bytes | bytearray], Platform]
    outdated: Callable[[Platform, int], Platform] = _kept


QUESTIONS: Final = (
    Question(CONFIG, 600, with_config),
    Question(SESSION, 600, with_session),
    # Feldera's monitor itself looks every 10 s.
    Question(CLUSTER_HEALTH, 30, with_health, without_health),
)
_RETRY: Final = 30.0
"""Seconds until a question that was not answered is asked again."""


class PlatformPoller:
    """Asks one instance about itself.

    Args:
        client: asks.
        timeout: seconds that one request may take.
        staleness: seconds for which the last answer is shown while there is no other.
        platform: what is known already.
        learn: told what is known after each answer.
        now: gives the present instant by Feldera's clock, in microseconds since the epoch.
        log: with the instance's name.
        spread: seconds within which the first questions are asked, each at an instant of its own.
    """

    def __init__(
        self,
        client: Client,
        timeout: float,
        staleness: float,
        platform: Platform,
        learn: Callable[[Platform], None],
        now: Callable[[], int],
        log: Logger,
        spread: float = 0.0,
    ) -> None:
        self._client = client
        self._timeout = timeout
        self._staleness = staleness
        self._learn = learn
        self._now = now
        self._log = log
        self._spread = spread
        self._platform = platform

    async def watch(self) -> None:
        """Ask all questions, each at its pace, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for question in QUESTIONS:
                group.create_task(self._repeat(question))

    async def ask(self, question: Question) -> None:
        """Ask one question once.

        Raises:
            FelderaError: it was not answered as it should be.
        """
        answer = await self._client.get(question.endpoint, within=self._timeout)
        self._know(question.take(self._platform, answer.body))

    def _know(self, platform: Platform) -> None:
        self._platform = platform
        self._learn(platform)

    async def _repeat(self, question: Question) -> None:
        name = question.endpoint.name
        unanswered = FailureLog(self._log, f"no answer from {name}", f"{name} answers again")
        answered_at = time.monotonic()
        await asyncio.sleep(random.uniform(0, self._spread))  # noqa: S311
        while True:
            pause = _RETRY
            try:
                await self.ask(question)
            except FelderaError as error:
                pause = max(_RETRY, min(error.retry_after, MAX_BACKOFF))
                unanswered.failed(error.outcome, error)
            except Exception as error:  # noqa: BLE001 - a mistake of our own must not end the other questions
                unanswered.failed(INTERNAL_ERROR, type(error).__name__, place=source_location(error))
            else:
                unanswered.succeeded()
                answered_at = time.monotonic()
                await asyncio.sleep(question.every)
                continue
            if time.monotonic() - answered_at >= self._staleness:
                self._know(question.outdated(self._platform, self._now()))
            await asyncio.sleep(pause)
