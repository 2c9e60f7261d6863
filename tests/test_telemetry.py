"""What the exporter says of itself."""

import asyncio

import pytest

from feldera_exporter.app import Exporter
from feldera_exporter.config import Configuration
from feldera_exporter.exposition.text import Format
from feldera_exporter.fleet.shard import Shard
from feldera_exporter.telemetry import Telemetry


@pytest.mark.parametrize("format_", Format)
def test_the_share_is_exposed(format_: Format) -> None:
    """One series for each process, as `k/n`; without sharding it is the whole."""

    def told(telemetry: Telemetry) -> list[str]:
        lines = telemetry.expose(format_).decode().splitlines()
        return [line for line in lines if line.startswith("feldera_exporter_shard_info")]

    assert told(Telemetry("1", "3", str(Shard(2, 3)))) == ['feldera_exporter_shard_info{shard="2/3"} 1.0']
    assert told(Telemetry("1", "3")) == ['feldera_exporter_shard_info{shard="0/1"} 1.0']


def test_the_share_is_that_of_the_flags() -> None:
    """What the exporter was started with is what it says."""

    async def started() -> str:
        exporter = Exporter(lambda: Configuration(()), None, Shard(1, 4))
        return b"".join(map(bytes, exporter.publisher.snapshot.plain(Format.TEXT))).decode()

    assert 'feldera_exporter_shard_info{shard="1/4"} 1.0' in asyncio.run(started())
