"""Write Feldera's retained events as OpenMetrics with timestamps, for `promtool tsdb create-blocks-from openmetrics`."""

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import structlog

from feldera_exporter import backfill_openmetrics, logs
from feldera_exporter.commands.flags import add_configuration, add_logging, configuration
from feldera_exporter.config import Configuration, Instance
from feldera_exporter.errors import ConfigError
from feldera_exporter.feldera import event_log
from feldera_exporter.feldera.client import EVENTS, Client
from feldera_exporter.feldera.errors import (
    DeadlineError,
    FelderaError,
    NotFoundError,
    UnauthorizedError,
    UnreachableError,
    UnsupportedError,
)
from feldera_exporter.feldera.pipeline_list import Listing, read
from feldera_exporter.history.observation import Observation
from feldera_exporter.logs import Logger
from feldera_exporter.micros import SECOND
from feldera_exporter.polling.client_factory import client_for

_TIMEOUT: Final = 60.0
"""Seconds that one answer may take."""

_FATAL: Final = (UnauthorizedError, DeadlineError, UnreachableError)
"""After these, the instance would not answer about its next pipeline either."""


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
    """Write all retained events of every instance, and return 0, or 1 if something could not be read.

    Raises:
        ConfigError: a flag or the configuration is wrong.
    """
    logs.configure(arguments.log_level, arguments.log_format)
    extra = _labels(arguments.label)
    pipelines, failures = asyncio.run(_gather(configuration(arguments), extra))
    # An empty output would only overwrite that of an earlier run.
    if pipelines or not failures:
        with _output(arguments.output) as file:
            file.writelines(backfill_openmetrics.exposition(pipelines))
    sys.stderr.writelines(f"error: {failure}\n" for failure in failures)
    return int(bool(failures))


def _labels(texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name.isidentifier() or not name.isascii():
            expected = "NAME=VALUE"
        elif name in backfill_openmetrics.LABELS or name.startswith("__"):
            expected = f"a name without __ before it, and none of {', '.join(backfill_openmetrics.LABELS)}, which are set already"
        elif name in found:
            expected = f"{name} only once"
        else:
            found[name] = value
            continue
        raise ConfigError(f"--label: found {text!r}, expected {expected}")
    return tuple(found.items())


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


async def _gather(
    configured: Configuration, extra: tuple[tuple[str, str], ...]
) -> tuple[list[backfill_openmetrics.RetainedEvents], list[str]]:
    """Return what could be read, and the errors. One log after the other: the handler holds the manager's database lock."""
    pipelines: list[backfill_openmetrics.RetainedEvents] = []
    failures: list[str] = []
    for instance in configured.instances:
        log = structlog.get_logger().bind(feldera_instance=instance.name)
        client = client_for(instance, lambda *_: None, log)
        try:
            found = [each async for each in _ask(instance, client, extra, failures, log)]
        except FelderaError as error:
            failures.append(f"{instance.name}: {error}")
        else:
            log.info("read", pipelines=len(found), events=sum(len(each.observations) for each in found))
            pipelines += found
        finally:
            await client.close()
    return pipelines, failures


async def _ask(
    instance: Instance, client: Client, extra: tuple[tuple[str, str], ...], failures: list[str], log: Logger
) -> AsyncIterator[backfill_openmetrics.RetainedEvents]:
    """Yield the retained events of each pipeline of an instance.

    Raises:
        FelderaError: the instance cannot be read, so that no other pipeline need be tried.
    """
    listing = read((await client.list(within=_TIMEOUT)).body, Listing())
    failures += (
        f"{instance.name}: {each.title} cannot be read: {each.reason}" for each in listing.unreadable
    )
    for pipeline_id, entry in listing.entries.items():
        name = entry.row.name
        if not instance.pipelines.selects(name):
            continue
        try:
            answer = await client.get(EVENTS, name, within=_TIMEOUT)
            events = event_log.read(answer.body)
        except NotFoundError:
            log.warning("deleted while its events were to be read", pipeline_name=name)
            continue
        except UnsupportedError:
            raise UnsupportedError("this Feldera has no event log (before v0.292)") from None
        except FelderaError as error:
            failures.append(f"{instance.name}: {name}: {error}")
            if isinstance(error, _FATAL):
                return
            continue
        shared = (
            ("feldera_instance", instance.name),
            ("pipeline", f"pipeline-{pipeline_id}"),
            ("pipeline_name", name),
            *extra,
        )
        # The header is whole seconds, cut off, so that nothing is written for the time after the log was read.
        until = answer.date if answer.date is not None else time.time() - answer.elapsed
        yield backfill_openmetrics.RetainedEvents(
            shared, [*map(Observation.from_event, events)], int(until * SECOND)
        )
