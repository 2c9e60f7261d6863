"""Print the default configuration with its comments, or the effective configuration of a file without its secrets."""

import argparse
import re
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from feldera_exporter.commands.flags import add_configuration, configuration
from feldera_exporter.config import Secret, format_duration
from feldera_exporter.shipped import shipped
from feldera_exporter.units import format_size


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    add_configuration(parser, "the default configuration with its comments")


def main(arguments: argparse.Namespace) -> int:
    """Print the configuration and return 0.

    Raises:
        ConfigError: the configuration is wrong.
    """
    if arguments.config_file is None:
        sys.stdout.write(shipped("config/exporter.yml").read_text(encoding="utf-8"))
        return 0
    tree = _tree(configuration(arguments, files=False))
    sys.stdout.write(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=10_000))
    return 0


def _tree(value: Any) -> Any:  # noqa: PLR0911 - a line for each kind
    """Return a configuration or a part of it for YAML: every key that has a value, defaults included, secrets hidden."""
    match value:
        case Secret():
            return "<secret>"
        case Path():
            return str(value.absolute())
        case re.Pattern():
            return value.pattern
        case Mapping():
            return {name: _tree(each) for name, each in value.items()}
        case tuple():
            return [_tree(each) for each in value]
        case bool() | str():
            return value
        case float():
            return format_duration(value)
        case int():
            return format_size(value)
    given = ((each.name, getattr(value, each.name)) for each in fields(value))
    return {name: _tree(each) for name, each in given if each not in (None, "")}
