"""The command line: which command runs, with which flags, and what an error's exit code is."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final

from feldera_exporter import __version__
from feldera_exporter.commands import backfill, check, demo, rules, run, simulate
from feldera_exporter.errors import ConfigError, ExporterError

COMMANDS: Final = {
    "run": run,
    "check": check,
    "rules": rules,
    "demo": demo,
    "simulate": simulate,
    "backfill": backfill,
}
"""Each is a module with `HELP`, `configure(parser)` and `main(arguments) -> exit code`."""

BAD_USAGE: Final = 2
FAILED: Final = 1


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; without one, `run` is meant."""
    root = argparse.ArgumentParser(
        prog="feldera-exporter",
        description="Prometheus exporter for the statuses of Feldera pipelines.",
        epilog="The flags of the default command: feldera-exporter run --help. A command comes first, its flags follow.",
        allow_abbrev=False,
    )
    root.add_argument("--version", action="version", version=f"feldera-exporter {__version__}")
    commands = root.add_subparsers(dest="command", metavar="COMMAND", title="commands; run is the default")
    for name, command in COMMANDS.items():
        child = commands.add_parser(name, help=command.HELP, description=command.__doc__, allow_abbrev=False)
        command.configure(child)
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code: 0, 1 for a failure, 2 for a mistake in flags or configuration."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or (words[0].startswith("-") and words[0] not in {"-h", "--help", "--version"}):
        words.insert(0, "run")
    parsed, unknown = parser().parse_known_args(words)
    if unknown:
        _say(_unknown(parsed.command, unknown[0]))
        return BAD_USAGE
    try:
        code = int(COMMANDS[parsed.command].main(parsed))
        sys.stdout.flush()
    except BrokenPipeError:
        # `feldera-exporter check | head`: the reader has seen enough. Python would complain of its last flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ConfigError as error:
        _say(*error.mistakes)
        return BAD_USAGE
    except ExporterError as error:
        _say(str(error))
        return FAILED
    except KeyboardInterrupt:
        return FAILED
    return code


def _unknown(command: str, word: str) -> str:
    """Return what to say of a word that nobody reads."""
    if word in COMMANDS:
        return f"found {word!r} after a flag, expected the command first: feldera-exporter {word} …"
    return f"{command}: found {word!r}, expected a flag of this command: feldera-exporter {command} --help lists them"


def _say(*errors: str) -> None:
    sys.stderr.writelines(f"error: {error}\n" for error in errors)
