"""One instance while it is polled: its client, its two pollers, and the loop that polls on time."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from feldera_exporter.feldera.client import Client
from feldera_exporter.polling import gc_tuning
from feldera_exporter.polling.platform_poller import PlatformPoller
from feldera_exporter.polling.schedule import Schedule
from feldera_exporter.polling.watcher import Watcher


@dataclass(frozen=True, slots=True)
class PolledInstance:
    """The parts of one instance.

    Attributes:
        client: the client of the instance, closed when `run` ends.
        watcher: polls the pipelines.
        platform_poller: polls everything else.
        delay: seconds until the first poll.
        poll_failed: called after each failed poll.
        settings: the part of the configuration that was used: with the same settings, the instance goes on at a reload.
    """

    client: Client
    watcher: Watcher
    platform_poller: PlatformPoller
    delay: float
    poll_failed: Callable[[], None]
    settings: object

    async def run(self) -> None:
        """Poll until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.platform_poller.run())
                group.create_task(self._poll())
        finally:
            await self.client.close()

    async def _poll(self) -> None:
        schedule = Schedule(self.watcher.instance.poll_interval, time.monotonic() + self.delay)
        first = True
        while True:
            while (left := schedule.due - time.monotonic()) > 0:
                await asyncio.sleep(min(left, self.watcher.expires_in()))
                self.watcher.expire()
            success, retry_after = await self.watcher.poll()
            if not success:
                self.poll_failed()
            elif first:
                gc_tuning.freeze_long_lived()
                first = False
            schedule = schedule.ended(time.monotonic(), success=success, retry_after=retry_after)
