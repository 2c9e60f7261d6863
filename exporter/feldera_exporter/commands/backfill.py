"""Write Feldera's retained events as OpenMetrics with timestamps, for `promtool tsdb create-blocks-from openmetrics`."""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import msgspec
import structlog

from feldera_exporter import backfill, logs
from feldera_exporter.commands.flags import add_configuration, add_logging, configuration
from feldera_exporter.config import Configuration, Instance
from feldera_exporter.errors import ConfigError
from feldera_exporter.feldera.answers import NotFoundError
from feldera_exporter.feldera.client import EVENTS, PIPELINES
from feldera_exporter.feldera.decoding import decoded
from feldera_exporter.feldera.listing import Listing, read
from feldera_exporter.feldera.wire import Event
from feldera_exporter.history.observation import Observation
from feldera_exporter.polling.connection import connect

HELP = "write the history that Feldera retains, for promtool tsdb create-blocks-from openmetrics"

_TIMEOUT: Final = 60.0
"""Seconds for one answer: nobody waits for a backfill as a scraper waits for a poll."""

_EVENTS: Final[msgspec.json.Decoder[list[Event]]] = msgspec.json.Decoder(list[Event])


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    add_configuration(parser)
    add_logging(parser)
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="where to write (default: standard output)"
    )
    parser.add_argument(
        "--label",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a label for every sample, repeatable: job and instance as the scrape sets them join old and new series",
    )


def main(arguments: argparse.Namespace) -> int:
    """Ask every instance for everything it retains and write it.

    Raises:
        ConfigError: a flag or the configuration is wrong.
        FelderaError: an instance did not answer as it should.
    """
    logs.configure(arguments.log_level, arguments.log_format)
    extra = tuple(_label(text) for text in arguments.label)
    pasts = asyncio.run(_gather(configuration(arguments, os.environ), extra))
    with _output(arguments.output) as file:
        file.writelines(backfill.exposition(pasts, time.time_ns() // 1000))
    return 0


def _label(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name.isidentifier() or not name.isascii():
        raise ConfigError(f"--label: found {text!r}, expected NAME=VALUE")
    return name, value


@contextmanager
def _output(path: Path | None) -> Iterator[IO[str]]:
    if path is None:
        yield sys.stdout
        return
    try:
        with path.open("w", encoding="utf-8") as file:
            yield file
    except OSError as error:
        raise ConfigError(f"--output: cannot write {path}: {error.strerror or error}") from None


async def _gather(configured: Configuration, extra: tuple[tuple[str, str], ...]) -> list[backfill.Past]:
    return [past for instance in configured.instances for past in await _ask(instance, extra)]


async def _ask(instance: Instance, extra: tuple[tuple[str, str], ...]) -> list[backfill.Past]:
    """Read one instance's logs one after the other: the handler holds the manager's database lock."""
    log = structlog.get_logger().bind(feldera_instance=instance.name)
    client = connect(instance, lambda *_: None, log)
    pasts = []
    try:
        listing = read((await client.get(PIPELINES, within=_TIMEOUT)).body, Listing())
        for one, entry in listing.entries.items():
            name = entry.row.name
            if not instance.pipelines.selects(name):
                continue
            try:
                answer = await client.get(EVENTS, name, within=_TIMEOUT)
            except NotFoundError:
                log.warning("deleted while its events were to be read", pipeline_name=name)
                continue
            shared = (
                ("feldera_instance", instance.name),
                ("pipeline", f"pipeline-{one}"),
                ("pipeline_name", name),
                *extra,
            )
            events = [Observation.from_event(event) for event in decoded(_EVENTS, answer.body)]
            pasts.append(backfill.Past(shared, events))
        log.info("read", pipelines=len(pasts), events=sum(len(past.observations) for past in pasts))
    finally:
        await client.close()
    return pasts
