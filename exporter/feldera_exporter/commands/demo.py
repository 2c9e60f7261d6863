"""Show what the exporter does, on a built-in stand-in of Feldera: nothing else is needed, nothing stays behind."""

import argparse
import math
import sys
import tempfile
from contextlib import ExitStack, redirect_stderr
from pathlib import Path

import uvloop
from rich.console import Console

from feldera_exporter import logs
from feldera_exporter.commands.flags import add_logging
from feldera_exporter.commands.stage_flags import add_stage
from feldera_exporter.demo.play import play
from feldera_exporter.demo.settings import Settings

_DEFAULTS = Settings()


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    add_logging(parser)
    parser.add_argument(
        "--web.listen-address",
        dest="listen",
        action="append",
        metavar="HOST:PORT",
        help="where the exporter listens, repeatable (default: port 10058 of 127.0.0.1, or a free one)",
    )
    add_stage(parser)
    parser.add_argument(
        "--bridge",
        action="store_true",
        help="let the exporter send its problems to Alertmanager itself; Prometheus only watches the exporter",
    )
    parser.add_argument(
        "--duration",
        type=_seconds,
        default=_DEFAULTS.duration,
        metavar="SECONDS",
        help="end after so long (default: go on until Ctrl-C)",
    )


def main(arguments: argparse.Namespace) -> int:
    """Run until SIGINT, SIGTERM, SIGQUIT or SIGHUP, which end it with 0, or for `--duration`.

    Raises:
        ConfigError: a flag is wrong.
        ListenError: an address cannot be listened on.
        ProgramError: Prometheus or Alertmanager is installed but does not start.
    """
    settings = Settings(
        seed=arguments.seed,
        pipelines=arguments.pipelines,
        duration=arguments.duration,
        listen=tuple(arguments.listen or _DEFAULTS.listen),
        bridge=arguments.bridge,
    )
    console = Console()
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="feldera-exporter-demo-")))
        if console.is_terminal and sys.stderr.isatty():
            # The log would run through the picture.
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
