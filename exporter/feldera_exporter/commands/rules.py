"""Print the alert rules, with the choices of the configuration."""

import argparse
import sys

from feldera_exporter.commands.flags import add_addresses, add_configuration, addresses, configuration
from feldera_exporter.rules.rendering import FORMATS, rules


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    add_configuration(parser, "the shipped rules")
    parser.add_argument(
        "--format",
        choices=tuple(FORMATS),
        default="prometheus",
        help="a rule file for Prometheus, or a PrometheusRule for its operator (default: %(default)s)",
    )
    add_addresses(parser)


def main(arguments: argparse.Namespace) -> int:
    """Print the rules; without a configuration file, the shipped ones.

    Raises:
        ConfigError: the configuration is wrong.
    """
    options = addresses(arguments)
    if arguments.config_file is not None:
        options = options.configured(configuration(arguments, files=False))
    sys.stdout.write(rules(arguments.format, options))
    return 0
