"""The flags that several commands share."""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from feldera_exporter import config, logs
from feldera_exporter.errors import ConfigError
from feldera_exporter.metrics.catalogue import KNOWN_FAMILIES
from feldera_exporter.rules.alert_names import NAMES
from feldera_exporter.rules.rendering import DASHBOARD_URL, EXPORTER_URL, NAME, RuleOptions

# What a path may consist of (RFC 3986) without an escape, so that it is compared as it is written.
_PATH: Final = re.compile(r"/[\w.~!$&'()*+,;=:@/-]*", re.ASCII)

_TAKEN: Final = frozenset({"", "-", "pipelines", "runbooks", "static"})
"""How the paths of the exporter's own pages begin."""
_OWN: Final = "/, /-/, /pipelines/, /runbooks/ and /static/"

_ENVIRONMENT: Final = (
    "FELDERA_HOST, FELDERA_API_KEY or FELDERA_API_KEY_FILE, FELDERA_TLS_INSECURE and FELDERA_HTTPS_TLS_CERT of the "
    "environment"
)


def add_configuration(parser: argparse.ArgumentParser, default: str = _ENVIRONMENT) -> None:
    """Add the flag that names the configuration file; `default` says what holds without one."""
    parser.add_argument(
        "--config.file",
        dest="config_file",
        type=Path,
        metavar="FILE",
        help=f"the configuration (default: {default})",
    )


def add_logging(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the log."""
    parser.add_argument("--log.level", dest="log_level", choices=logs.LEVELS, default="info")
    parser.add_argument("--log.format", dest="log_format", choices=tuple(logs.FORMATS), default="logfmt")


def add_addresses(parser: argparse.ArgumentParser) -> None:
    """Add the flags of what alerts link to beside the exporter's pages."""
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


def addresses(arguments: argparse.Namespace) -> RuleOptions:
    """Return what alerts link to.

    Raises:
        ConfigError: one is no address.
    """
    return RuleOptions(
        exporter_url=_linked("--web.external-url", arguments.external_url or EXPORTER_URL),
        runbook_url=arguments.runbook_url and _linked("--runbook-url", arguments.runbook_url),
        dashboard_url=_linked("--dashboard-url", arguments.dashboard_url),
    )


def _linked(flag: str, text: str) -> str:
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


def configuration(
    arguments: argparse.Namespace, environ: Mapping[str, str], elsewhere: list[str] | None = None
) -> config.Configuration:
    """Return the configuration that the flags or the environment name.

    Args:
        arguments: the flags.
        environ: the environment.
        elsewhere: takes what is to be said of files that cannot be read here, where nobody is asked with them.

    Raises:
        ConfigError: it is wrong, or there is none.
    """
    return config.load(arguments.config_file, environ, KNOWN_FAMILIES, NAMES, elsewhere)


def telemetry_path(text: str) -> str:
    """Return the path of the metrics.

    Raises:
        ConfigError: it is none, or one of the exporter's own.
    """
    if not _PATH.fullmatch(text) or _first(text) in _TAKEN:
        raise ConfigError(
            f"--web.telemetry-path: found {text!r}, expected a path such as /metrics: with a slash at its beginning, "
            f"without escapes, and elsewhere than the pages, which are at {_OWN}"
        )
    return text


def external_url(text: str, metrics: str = "/metrics") -> str:
    """Return the path below which browsers find the pages, without a slash at its end: empty where it is the root.

    Args:
        text: the address.
        metrics: the path of the metrics.

    Raises:
        ConfigError: the text is no address of http or https, has more than a host and a path, or a path that requests
            which the proxy has taken it off may begin with as well: it would be taken off twice.
    """
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
        parts = urlsplit("")
    path = parts.path.rstrip("/")
    if (
        not usable
        or "@" in parts.netloc
        or parts.query
        or parts.fragment
        or (path and not _PATH.fullmatch(path))
    ):
        raise ConfigError(
            f"--web.external-url: found {_discreet(text)!r}, expected an address such as https://example.com/feldera: "
            "http or https, a host and perhaps a path without escapes, but no user, query or fragment"
        )
    if path and (_first(path) in _TAKEN or f"{metrics}/".startswith(f"{path}/")):
        raise ConfigError(
            f"--web.external-url: found the path {path!r}, expected one that begins otherwise than the exporter's own: "
            f"the metrics are at {metrics}, the pages at {_OWN}"
        )
    return path


def _first(path: str) -> str:
    """Return what is between the first two slashes of a path."""
    return path.split("/")[1]


def _discreet(url: str) -> str:
    """Return an address without what may be a password."""
    return re.sub(r"//.*@", "//…@", url)
