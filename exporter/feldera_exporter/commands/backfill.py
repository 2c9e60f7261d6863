"""Write Feldera's retained events as OpenMetrics with timestamps, for `promtool tsdb create-blocks-from openmetrics`."""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import structlog

from feldera_exporter import logs
from feldera_exporter.backfill_openmetrics import LABELS, RetainedEvents, exposition
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
from feldera_exporter.micros import SECOND
from feldera_exporter.polling.client_factory import client_for

_TIMEOUT: Final = 60.0
"""Seconds that one answer may take."""

_FATAL: Final = (UnauthorizedError, DeadlineError, UnreachableError)


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
            file.writelines(exposition(pipelines))
    sys.stderr.writelines(f"error: {failure}\n" for failure in failures)
    return int(bool(failures))


def _labels(texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        own = name in LABELS or name.startswith("__")
        if own or not separator or not name.isidentifier() or not name.isascii():
            expected = f"NAME=VALUE, with another name than {', '.join(LABELS)} or __…"
            raise ConfigError(f"--label: found {text!r}, expected {expected}")
        found[name] = value
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
) -> tuple[list[RetainedEvents], list[str]]:
    """Return what could be read, and the errors."""
    pipelines: list[RetainedEvents] = []
    failures: list[str] = []
    for instance in configured.instances:
        client = client_for(instance, lambda *_: None, structlog.get_logger())
        try:
            await _read(instance, client, extra, pipelines, failures)
        except FelderaError as error:
            failures.append(f"{instance.name}: {error}")
        finally:
            await client.close()
    return pipelines, failures


async def _read(
    instance: Instance,
    client: Client,
    extra: tuple[tuple[str, str], ...],
    pipelines: list[RetainedEvents],
    failures: list[str],
) -> None:
    """Add the retained events of each pipeline of an instance, and the errors about single pipelines.

    One log is read after the other: the handler holds the manager's database lock.

    Raises:
        FelderaError: the instance would not answer about its next pipeline either.
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
            # It was deleted after the list was read.
            continue
        except UnsupportedError:
            raise UnsupportedError("this Feldera has no event log (before v0.292)") from None
        except _FATAL:
            raise
        except FelderaError as error:
            failures.append(f"{instance.name}: {name}: {error}")
            continue
        shared = (
            ("feldera_instance", instance.name),
            ("pipeline", f"pipeline-{pipeline_id}"),
            ("pipeline_name", name),
            *extra,
        )
        # The header is whole seconds, cut off, so that nothing is written for the time after the log was read.
        until = answer.date if answer.date is not None else time.time() - answer.elapsed
        observations = [*map(Observation.from_event, events)]
        pipelines.append(RetainedEvents(shared, observations, int(until * SECOND)))
