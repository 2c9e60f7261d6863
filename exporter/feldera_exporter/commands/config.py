"""Print the default configuration with its comments, or the effective configuration of a file without its secrets."""

import argparse
import sys

import yaml

from feldera_exporter.commands.flags import add_configuration, configuration
from feldera_exporter.config.effective import effective
from feldera_exporter.shipped import shipped


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
    tree = effective(configuration(arguments, files=False))
    sys.stdout.write(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=10_000))
    return 0
