"""What a poll costs: from the bytes of the list to the rendered snapshot, without network and compression.

Run as a program it measures one size in a separate process and prints JSON: `polling.py SIZE ROUNDS`.
"""

import sys

import msgspec

from benchmarks.measuring import best, cpu, medians
from feldera_exporter.exposition.compressed_block import deflate
from feldera_exporter.exposition.snapshot import Content, Snapshot
from feldera_exporter.exposition.text import Format
from feldera_exporter.feldera.wire import Row
from feldera_exporter.ledger.visible_counters import HOLD
from feldera_exporter.metrics.exposition_sections import updated_sections
from feldera_exporter.polling import gc_tuning
from support.exporter_driver import ExporterDriver
from support.pipeline_lists import BEGAN, INTERVAL, PipelineListGenerator

_DECODER = msgspec.json.Decoder(list[Row])


class PolledInstance:
    """An instance that is polled, shown and read again and again.

    Args:
        size: how many pipelines it has.
        provisioning: whether all are in a status with a limit.
    """

    def __init__(self, size: int, *, provisioning: bool = False) -> None:
        self.pipelines = PipelineListGenerator(size, provisioning=provisioning)
        self.driver = ExporterDriver()
        self.at = BEGAN

    def poll(self) -> None:
        """Process the present list, and render what changed."""
        body = self.pipelines.body()
        self.at += INTERVAL
        self.driver.reading = 0.0
        self.logs = self.driver.event_requests
        # The logs are separate answers, so their cost is a separate figure.
        self.cost = cpu(lambda: self._poll(body)) - self.driver.reading
        self.logs = self.driver.event_requests - self.logs

    def settle(self) -> None:
        """Poll once more when the counters of what was new move, as they do most of the time."""
        self.at += HOLD
        self.poll()

    def happen(self, share: float) -> None:
        """Change a share of the pipelines before the next list."""
        self.pipelines.happen(share, self.at + INTERVAL)

    def compress(self) -> float:
        """Return the milliseconds of compressing what changed since the last time."""
        return cpu(lambda: self._snapshot().body(Format.OPENMETRICS, packed=True))

    def sizes(self) -> dict[str, float]:
        """Return what the exposition has: samples, bytes, compressed bytes."""
        snapshot = self._snapshot()
        return {
            "samples": self.driver.page.samples,
            "plain bytes": sum(map(len, snapshot.body(Format.OPENMETRICS, packed=False))),
            "gzip bytes": sum(map(len, snapshot.body(Format.OPENMETRICS, packed=True))),
        }

    def compress_all(self) -> float:
        """Return the milliseconds of compressing everything again."""
        texts = [block.text for section in self.driver.page.sections for block in section.blocks]
        return cpu(lambda: list(map(deflate, texts)))

    def _poll(self, body: bytes) -> None:
        self.driver.poll(body, self.at, self.pipelines.log)
        self.driver.page = updated_sections(self.driver.page, (self.driver.observed,), self.driver.catalogue)

    def _snapshot(self) -> Snapshot:
        content = Content(self.driver.page.sections, lambda _: b"", lambda *_: None)
        return Snapshot(lambda: content)


def measure(size: int, rounds: int) -> dict[str, float]:
    """Return the costs of one size in milliseconds of CPU, medians over rounds, and what its exposition has."""
    gc_tuning.collect_rarely()
    polled = PolledInstance(size)
    polled.poll()
    first = polled.cost
    polled.settle()
    gc_tuning.freeze_long_lived()
    limited = PolledInstance(size, provisioning=True)
    limited.poll()
    limited.settle()
    found = [_round(polled, limited) for _ in range(rounds)]
    # At the end: the logs that are due then are read for many polls.
    everything = []
    for _ in range(rounds):
        polled.happen(1)
        polled.poll()
        everything.append({"poll, 100 % changed": polled.cost, "gzip, whole": polled.compress_all()})
    return {"first poll": first, **medians(found), **medians(everything), **polled.sizes()}


def _round(polled: PolledInstance, limited: PolledInstance) -> dict[str, float]:
    polled.compress()
    body = polled.pipelines.body()
    figures = {"decode": best(lambda: _DECODER.decode(body), 3)}
    for name, share in (("nothing changed", 0.0), ("1 % changed", 0.01)):
        polled.happen(share)
        polled.poll()
        figures[f"poll, {name}"] = polled.cost
        figures[f"gzip, {name}"] = polled.compress()
    limited.happen(0.01)
    limited.poll()
    figures["poll, 1 % changed, all have a limit"] = limited.cost
    # What was asked of the logs is settled by the next list.
    polled.poll()
    limited.poll()
    polled.pipelines.report(0.5)
    polled.poll()
    figures["poll, half report connectors"] = polled.cost
    figures["gzip, half report connectors"] = polled.compress()
    return figures


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(measure(int(sys.argv[1]), int(sys.argv[2]))))
