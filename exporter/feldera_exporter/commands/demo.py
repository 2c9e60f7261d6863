"""Show the exporter with a built-in stand-in of Feldera. Nothing else is needed, and no files are left behind."""

import argparse
import math
import sys
import tempfile
from contextlib import ExitStack, redirect_stderr
from pathlib import Path

import uvloop
from rich.console import Console

from feldera_exporter import logs
from feldera_exporter.commands.flags import add_logging, add_stage
from feldera_exporter.demo.composition import play
from feldera_exporter.demo.settings import Settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    add_logging(parser)
    parser.add_argument(
        "--web.listen-address",
        dest="listen",
        action="append",
        metavar="HOST:PORT",
        help="where the exporter listens, repeatable (default: 127.0.0.1:10058, or a free port)",
    )
    add_stage(parser)
    parser.add_argument(
        "--bridge",
        action="store_true",
        help="the exporter sends its problems to Alertmanager itself; Prometheus only watches the exporter",
    )
    parser.add_argument(
        "--duration",
        type=_seconds,
        metavar="SECONDS",
        help="end after this time (default: at Ctrl-C)",
    )


def main(arguments: argparse.Namespace) -> int:
    """Run until SIGINT, SIGTERM, SIGQUIT or SIGHUP, or for `--duration`, and return 0.

    Raises:
        ConfigError: a flag is wrong.
        ListenError: the exporter cannot listen on an address.
        ProgramError: Prometheus or Alertmanager is installed but does not start.
    """
    settings = Settings(
        seed=arguments.seed,
        pipelines=arguments.pipelines,
        duration=arguments.duration,
        listen=tuple(arguments.listen or ()),
        bridge=arguments.bridge,
    )
    console = Console()
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="feldera-exporter-demo-")))
        if console.is_terminal and sys.stderr.isatty():
            # The log would disturb the table on the terminal.
            log = stack.enter_context((data / "exporter.log").open("w", encoding="utf-8"))
            stack.enter_context(redirect_stderr(log))
        logs.configure(arguments.log_level, arguments.log_format)
        uvloop.run(play(settings, data, console))
    return 0


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number of seconds above 0")
    return seconds
