"""Poll Feldera and serve the metrics until stopped."""

import argparse
from functools import partial
from pathlib import Path

import structlog
import uvloop

from feldera_exporter import app, logs
from feldera_exporter.commands.flags import (
    add_addresses,
    add_configuration,
    add_logging,
    add_web_config,
    addresses,
    configuration,
    local_links,
    telemetry_path,
)
from feldera_exporter.config.permissions import readable_by_all
from feldera_exporter.polling import malloc_tuning
from feldera_exporter.server.listener import bind
from feldera_exporter.server.web_access import WebAccess


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    add_configuration(parser)
    add_logging(parser)
    parser.add_argument(
        "--web.listen-address",
        dest="listen",
        action="append",
        metavar="HOST:PORT",
        help="where to listen, repeatable (default: :10058)",
    )
    add_web_config(parser)
    parser.add_argument(
        "--web.telemetry-path",
        dest="telemetry_path",
        default="/metrics",
        metavar="PATH",
        help="the path of the metrics (default: %(default)s)",
    )
    add_addresses(parser)
    parser.add_argument(
        "--web.enable-lifecycle",
        dest="lifecycle",
        action="store_true",
        help="accept POST /-/reload; SIGHUP always reloads the configuration",
    )
    parser.add_argument(
        "--storage.path",
        dest="storage",
        type=Path,
        metavar="DIRECTORY",
        help="the directory for counters and problems that survive a restart (default: none)",
    )


def main(arguments: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT, and return 0.

    Raises:
        ConfigError: a flag or the configuration is wrong.
        ListenError: the exporter cannot listen on an address.
        StoreError: the store's directory cannot be used.
    """
    malloc_tuning.share_one_arena()
    logs.configure(arguments.log_level, arguments.log_format)
    path = telemetry_path(arguments.telemetry_path)
    load = partial(configuration, arguments)
    linked = addresses(arguments, path)
    # Read before the exporter listens, so that an error occupies no port.
    configured = load()
    for line in readable_by_all(configured, arguments.config_file, arguments.storage):
        structlog.get_logger().warning("secrets are not protected", problem=line)
    for line in local_links(configured, linked):
        structlog.get_logger().warning("alerts link to this machine", problem=line)
    web = (
        WebAccess(arguments.web_config, structlog.get_logger()) if arguments.web_config is not None else None
    )
    sockets = [bind(address) for address in arguments.listen or [":10058"]]
    options = app.Options(path, arguments.storage, arguments.lifecycle, linked, web)
    uvloop.run(app.run(load, sockets, options))
    return 0
