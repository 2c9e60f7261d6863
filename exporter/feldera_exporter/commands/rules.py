"""Print the alert rules, as the configuration wants them."""

import argparse
import os
import sys
from dataclasses import replace
from urllib.parse import urlsplit

from feldera_exporter.commands.flags import add_configuration, configuration
from feldera_exporter.errors import ConfigError
from feldera_exporter.rules.rendering import DASHBOARD_URL, EXPORTER_URL, FORMATS, NAME, RuleOptions, rules

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
        "--web.external-url",
        dest="external_url",
        default=EXPORTER_URL,
        metavar="URL",
        help="the address of the exporter's pages, to which alerts link (default: %(default)s)",
    )
    parser.add_argument(
        "--runbook-url",
        default="",
        metavar="URL",
        help=f"the address of the runbooks; an alert's name takes the place of {NAME} in it, else it is added at the end "
        "(default: those among the exporter's pages)",
    )
    parser.add_argument(
        "--dashboard-url",
        default=DASHBOARD_URL,
        metavar="URL",
        help="Grafana's address (default: %(default)s)",
    )


def main(arguments: argparse.Namespace) -> int:
    """Print the rules; without a configuration file, all of them as they are.

    Raises:
        ConfigError: the configuration is wrong.
    """
    options = RuleOptions(
        exporter_url=_address("--web.external-url", arguments.external_url),
        runbook_url=arguments.runbook_url and _address("--runbook-url", arguments.runbook_url),
        dashboard_url=_address("--dashboard-url", arguments.dashboard_url),
    )
    if arguments.config_file is not None:
        elsewhere: list[str] = []
        configured = configuration(arguments, os.environ, elsewhere)
        sys.stderr.writelines(f"warning: {line}\n" for line in elsewhere)
        options = replace(
            options, alerts=configured.alerts, tag_labels=tuple(configured.tag_labels.expressions)
        )
    sys.stdout.write(rules(arguments.format, options))
    return 0


def _address(flag: str, text: str) -> str:
    """Return an address that alerts may link to.

    Raises:
        ConfigError: it is none.
    """
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(
            f"{flag}: found {text!r}, expected an http or https address such as https://example.com"
        )
    return text
