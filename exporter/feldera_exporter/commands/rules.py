"""Print the alert rules, as the configuration wants them."""

import argparse
import os
import sys

from feldera_exporter.commands.flags import add_configuration, configuration
from feldera_exporter.rules.rendering import DASHBOARDS, FORMATS, NAME, RUNBOOKS, rules
from feldera_exporter.rules.settings import Choice, Settings

HELP = "print the alert rules, as the configuration wants them"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    add_configuration(parser, "every alert as it is")
    parser.add_argument(
        "--format",
        choices=tuple(FORMATS),
        default="prometheus",
        help="a rule file for Prometheus, or a PrometheusRule for its operator (default: %(default)s)",
    )
    parser.add_argument(
        "--runbook-url",
        default=RUNBOOKS,
        metavar="URL",
        help=f"the address of the runbooks; an alert's name takes the place of {NAME} in it, else it is added at the end "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--dashboard-url", default=DASHBOARDS, metavar="URL", help="Grafana's address (default: %(default)s)"
    )


def main(arguments: argparse.Namespace) -> int:
    """Print the rules; without a configuration file, all of them as they are.

    Raises:
        ConfigError: the configuration is wrong.
    """
    settings = Settings()
    if arguments.config_file is not None:
        elsewhere: list[str] = []
        configured = configuration(arguments, os.environ, elsewhere)
        sys.stderr.writelines(f"warning: {line}\n" for line in elsewhere)
        settings = Settings(
            alerts={
                name: Choice(enabled=choice.enabled, severity=choice.severity, labels=choice.labels)
                for name, choice in configured.alerts.items()
            },
            tag_labels=tuple(configured.tag_labels.expressions),
        )
    sys.stdout.write(rules(arguments.format, settings, arguments.runbook_url, arguments.dashboard_url))
    return 0
