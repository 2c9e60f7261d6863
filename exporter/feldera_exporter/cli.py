"""The command line: chooses the command, parses its flags, and returns the exit code."""

import argparse
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from types import MappingProxyType, ModuleType
from typing import Final

from feldera_exporter import __version__
from feldera_exporter.errors import ConfigError, ExporterError

COMMANDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "run": "poll Feldera and serve the metrics until stopped (the default)",
        "check": "check the configuration and whether every instance can be watched with it",
        "config": "print the default configuration with its comments, or the effective configuration of a file",
        "rules": "print the alert rules, with the choices of the configuration",
        "demo": "show the exporter with a built-in stand-in of Feldera",
        "simulate": "serve only the demo's stand-in of Feldera",
        "backfill": "write the history that Feldera retains, for promtool tsdb create-blocks-from openmetrics",
    }
)
"""The commands with their help. Each is a module of `commands`, imported only when it is called: `run` needs no stand-in."""

SHELLS: Final = ("bash", "zsh")
"""The shells with completion."""

BAD_USAGE: Final = 2
FAILED: Final = 1

_EXAMPLES: Final = """\
examples:
  FELDERA_HOST=http://localhost:8080 feldera-exporter
  feldera-exporter config > exporter.yml
  feldera-exporter check --config.file=exporter.yml
  feldera-exporter --config.file=exporter.yml --storage.path=/var/lib/feldera-exporter
  feldera-exporter --print-completion bash > /etc/bash_completion.d/feldera-exporter
"""


def parser(called: Iterable[str] = COMMANDS) -> argparse.ArgumentParser:
    """Return the parser of all commands; only those that are called have their flags."""
    root = argparse.ArgumentParser(
        prog="feldera-exporter",
        description="Prometheus exporter for the statuses of Feldera pipelines.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    root.add_argument("--version", action="version", version=f"feldera-exporter {__version__}")
    root.add_argument(
        "--print-completion",
        choices=SHELLS,
        help="print the completion script for a shell, and exit",
    )
    commands = root.add_subparsers(
        dest="command", metavar="COMMAND", title="commands; a command comes first, its flags follow"
    )
    for name, purpose in COMMANDS.items():
        module = _module(name) if name in called else None
        child = commands.add_parser(
            name, help=purpose, description=module.__doc__ if module else None, allow_abbrev=False
        )
        if module is not None:
            module.configure(child)
            if name == "run":
                root.epilog = f"flags of run, the default command:\n{_flags(child)}\n{_EXAMPLES}"
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code: 0, 1 for a failure, 2 for an error in flags or configuration."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or (words[0].startswith("-") and not _is_global(words[0])):
        words.insert(0, "run")
    called = {words[0]} if words[0] in COMMANDS else COMMANDS if _asks_for_completion(words[0]) else {"run"}
    root = parser(called)
    parsed, unknown = root.parse_known_args(words)
    if parsed.print_completion is not None:
        return _print_completion(root, parsed.print_completion)
    if unknown:
        _print_errors(_unknown_word(parsed.command, unknown[0]))
        return BAD_USAGE
    return _run(parsed)


def _run(parsed: argparse.Namespace) -> int:
    try:
        code = int(_module(parsed.command).main(parsed))
        sys.stdout.flush()
    except BrokenPipeError:
        # As in `feldera-exporter check | head`. Without this, Python would report an error at its last flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ConfigError as error:
        _print_errors(*error.mistakes)
        return BAD_USAGE
    except ExporterError as error:
        _print_errors(str(error))
        return FAILED
    except KeyboardInterrupt:
        return FAILED
    return code


def _module(command: str) -> ModuleType:
    return import_module(f"feldera_exporter.commands.{command}")


def _is_global(word: str) -> bool:
    """Return whether a flag belongs to the program and not to `run`."""
    return word in {"-h", "--help", "--version"} or _asks_for_completion(word)


def _asks_for_completion(word: str) -> bool:
    return word.partition("=")[0] == "--print-completion"


def _flags(child: argparse.ArgumentParser) -> str:
    """Return the list of a command's flags from its help."""
    return child.format_help().partition("options:\n")[2]


def _print_completion(root: argparse.ArgumentParser, shell: str) -> int:
    import shtab  # noqa: PLC0415 - for this alone

    sys.stdout.write(f"{shtab.complete(root, shell)}\n")
    return 0


def _unknown_word(command: str, word: str) -> str:
    """Return the error for an unknown word of the command line."""
    if word in COMMANDS:
        return f"found {word!r} after a flag, expected the command first: feldera-exporter {word} …"
    return f"{command}: found {word!r}, expected a flag of this command: feldera-exporter {command} --help lists them"


def _print_errors(*errors: str) -> None:
    sys.stderr.writelines(f"error: {error}\n" for error in errors)
