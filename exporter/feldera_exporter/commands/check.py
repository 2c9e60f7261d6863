"""Check the configuration and, unless --offline is set, each Feldera instance and each Alertmanager."""

import argparse
import asyncio
import sys

import structlog

from feldera_exporter import logs
from feldera_exporter.checking.alertmanager_check import check_alertmanagers
from feldera_exporter.checking.instance_check import check_instance
from feldera_exporter.checking.lint import advice
from feldera_exporter.commands.flags import (
    add_addresses,
    add_configuration,
    add_web_config,
    addresses,
    configuration,
    local_links,
)
from feldera_exporter.config import Configuration
from feldera_exporter.config.permissions import readable_by_all
from feldera_exporter.server.web_access import WebAccess


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    add_configuration(parser)
    add_web_config(parser)
    add_addresses(parser)
    parser.add_argument(
        "--offline",
        action="store_true",
        help="send no requests; files that the configuration names may be on another machine",
    )


def main(arguments: argparse.Namespace) -> int:
    """Print the results and return 0, or 1 if an instance or an Alertmanager cannot be reached.

    Raises:
        ConfigError: the configuration, the file of `--web.config.file` or an address is wrong.
    """
    logs.configure("error", "logfmt")
    linked = addresses(arguments)
    if arguments.web_config is not None:
        WebAccess(arguments.web_config, structlog.get_logger())
    configured = configuration(arguments, files=not arguments.offline)
    names = ", ".join(instance.name for instance in configured.instances)
    _print(f"configuration: valid; instances: {names}")
    if arguments.web_config is not None:
        _print("web configuration: valid")
    exposed = readable_by_all(configured, arguments.config_file, None)
    _print(
        *(f"warning: {line}" for line in (*advice(configured), *exposed, *local_links(configured, linked)))
    )
    if arguments.offline:
        return 0
    return asyncio.run(_check(configured))


async def _check(configured: Configuration) -> int:
    log = structlog.get_logger()
    results = await asyncio.gather(*(check_instance(configured, each, log) for each in configured.instances))
    for _, lines in results:
        _print(*lines)
    well = all(watchable for watchable, _ in results)
    if configured.alertmanager is not None:
        all_answer, lines = await check_alertmanagers(configured.alertmanager, log)
        _print(*lines)
        well = well and all_answer
    return int(not well)


def _print(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
