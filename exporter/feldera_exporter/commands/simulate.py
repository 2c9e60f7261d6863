"""Serve the stand-in of Feldera with the demo's pipelines and their history, for an exporter on another machine."""

import argparse

import structlog
import uvloop

from feldera_exporter import app, logs
from feldera_exporter.commands.flags import add_logging, add_stage
from feldera_exporter.demo.clock import StagedClock, machine
from feldera_exporter.demo.simulated_fleet import beginning, prepared_fleet
from feldera_exporter.server.listener import bind
from feldera_exporter.simulator.asgi_thread import serve_on
from feldera_exporter.simulator.server import FelderaServer
from feldera_exporter.simulator.versions import NEWEST, UnknownVersionError, parse_version


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    add_logging(parser)
    parser.add_argument(
        "--web.listen-address",
        dest="listen",
        default="127.0.0.1:8080",
        metavar="HOST:PORT",
        help="where to listen (default: %(default)s)",
    )
    add_stage(parser)
    parser.add_argument(
        "--feldera-version",
        dest="feldera_version",
        type=_version,
        default=NEWEST,
        metavar="X.Y.Z",
        help="the version of Feldera that the stand-in behaves as (default: %(default)s)",
    )


def main(arguments: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT, and return 0.

    Raises:
        ConfigError: the address is wrong.
        ListenError: the server cannot listen on it.
    """
    logs.configure(arguments.log_level, arguments.log_format)
    uvloop.run(_simulate(arguments))
    return 0


async def _simulate(arguments: argparse.Namespace) -> None:
    ended = app.ended_by_signal()
    with bind(arguments.listen) as listener:
        feldera = prepared_fleet(
            StagedClock(beginning(machine())), arguments.seed, arguments.pipelines, arguments.feldera_version
        )
        with serve_on(FelderaServer(feldera), listener):
            host, port = listener.getsockname()[:2]
            structlog.get_logger().info("listening", host=host, port=port)
            await ended.wait()


def _version(text: str) -> str:
    try:
        parse_version(text)
    except UnknownVersionError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text
