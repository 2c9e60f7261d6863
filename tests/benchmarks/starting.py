"""What a start with a full store costs, and what reading one event log does.

Run as a program it measures one size in a separate process and prints JSON: `starting.py SIZE ROUNDS`.
"""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Final

import httpx
import msgspec

from benchmarks.measuring import cpu, medians
from feldera_exporter.ledger.visible_counters import HOLD
from feldera_exporter.metrics.exposition_sections import updated_sections
from feldera_exporter.polling import gc_tuning
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.random_workload import RandomWorkload
from feldera_exporter.simulator.server import FelderaServer
from feldera_exporter.store.store import Store
from support.clocks import ManualClock
from support.exporter_driver import CONFIGURATION, ExporterDriver
from support.pipeline_lists import BEGAN, PipelineListGenerator

_LIVES: Final = 150
"""Fewer than one poll reads at most."""


def start(size: int) -> float:
    """Return the milliseconds of CPU from opening a store of that many pipelines to the first rendered snapshot."""
    body = PipelineListGenerator(size).body()
    with tempfile.TemporaryDirectory() as folder:
        before, store = ExporterDriver(), Store.open(Path(folder))
        before.poll(body, BEGAN)
        assert before.changes is not None
        store.commit(before.changes)
        store.close()

        def restarted() -> None:
            store = Store.open(Path(folder))
            after = ExporterDriver(CONFIGURATION, store)
            after.poll(body, BEGAN + HOLD)
            updated_sections(after.page, (after.observed,), after.catalogue)
            store.close()

        return cpu(restarted)


def logs() -> dict[str, float]:
    """Return the milliseconds of CPU that reading, judging and folding one log takes, and how many events it has."""
    clock = ManualClock()
    feldera = Feldera(clock, 1)
    RandomWorkload(feldera, 1, size=_LIVES, rate=1)
    clock.advance(600)
    driver = ExporterDriver()
    driver.poll(*asyncio.run(_listed(feldera)))
    clock.advance(600)
    body, at = asyncio.run(_listed(feldera))
    answers = asyncio.run(_answers(feldera))
    spent = cpu(lambda: driver.poll(body, at, answers.__getitem__))
    events = sum(len(msgspec.json.decode(answer)) for answer in answers.values()) / len(answers)
    return {"one log": spent / max(1, driver.event_requests), "events in a log": events}


async def _listed(feldera: Feldera) -> tuple[bytes, int]:
    async with _client(feldera) as client:
        return (await client.get("/v0/pipelines?selector=status")).content, feldera.clock.now()


async def _answers(feldera: Feldera) -> dict[str, bytes]:
    async with _client(feldera) as client:
        return {
            pipeline.row.name: (
                await client.get(f"/v0/pipelines/{pipeline.row.name}/events?selector=status")
            ).content
            for pipeline in feldera.pipelines()
        }


def _client(feldera: Feldera) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(FelderaServer(feldera)), base_url="http://feldera")


if __name__ == "__main__":
    gc_tuning.collect_rarely()
    _size, _rounds = int(sys.argv[1]), int(sys.argv[2])
    _found = medians([{"start with a store": start(_size), **logs()} for _ in range(_rounds)])
    sys.stdout.buffer.write(msgspec.json.encode(_found))
