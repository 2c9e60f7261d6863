"""The flags that several commands share."""

import argparse
import os
import re
from pathlib import Path
from typing import Final

from feldera_exporter import config, logs
from feldera_exporter.config.validators import http_scheme
from feldera_exporter.errors import ConfigError
from feldera_exporter.metrics.catalogue import KNOWN_FAMILIES
from feldera_exporter.rules.alert_names import NAMES
from feldera_exporter.rules.rendering import DASHBOARD_URL, EXPORTER_URL, NAME, RuleOptions

# A path (RFC 3986) without escapes, so that it can be compared as it is written.
_PATH: Final = re.compile(r"/[\w.~!$&'()*+,;=:@/-]*", re.ASCII)
_PAGES_URL: Final = re.compile(rf"https?://[^/?#@]+({_PATH.pattern})?", re.ASCII)

_OWN_PARTS: Final = frozenset({"", "-", "pipelines", "runbooks", "static"})
"""The first parts of the paths of the exporter's own pages."""
_OWN_PATHS: Final = "/, /-/, /pipelines/, /runbooks/ and /static/"

_ENVIRONMENT: Final = (
    "FELDERA_HOST, FELDERA_API_KEY or FELDERA_API_KEY_FILE, FELDERA_TLS_INSECURE and FELDERA_HTTPS_TLS_CERT of the "
    "environment"
)


def add_configuration(parser: argparse.ArgumentParser, default: str = _ENVIRONMENT) -> None:
    """Add the flag of the configuration file; `default` says what is used without it."""
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


def add_web_config(parser: argparse.ArgumentParser) -> None:
    """Add the flag of the file with TLS, passwords and headers."""
    parser.add_argument(
        "--web.config.file",
        dest="web_config",
        type=Path,
        metavar="FILE",
        help="TLS, passwords and headers, in the format of Prometheus's exporter-toolkit (default: plain HTTP)",
    )


def add_addresses(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the addresses that alerts link to."""
    parser.add_argument(
        "--web.external-url",
        dest="external_url",
        default=EXPORTER_URL,
        metavar="URL",
        help="the address of the exporter's pages, for links in alerts and behind a proxy; it may have a path "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--runbook-url",
        default="",
        metavar="URL",
        help=f"the address of the runbooks; an alert's name replaces {NAME} in it, or is appended "
        "(default: the runbooks of the exporter's pages)",
    )
    parser.add_argument(
        "--dashboard-url",
        default=DASHBOARD_URL,
        metavar="URL",
        help="Grafana's address (default: %(default)s)",
    )


def add_stage(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the stand-in, for `demo` and `simulate`."""
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="NUMBER",
        help="the seed of the random events (default: %(default)s)",
    )
    parser.add_argument(
        "--pipelines",
        type=_count,
        default=0,
        metavar="NUMBER",
        help="the number of pipelines with random events, besides those with scripted ones (default: %(default)s)",
    )


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number of pipelines, 0 or more")
    return int(text)


def addresses(arguments: argparse.Namespace, metrics: str = "/metrics") -> RuleOptions:
    """Return the addresses that alerts link to; `metrics` is the path of the metrics.

    Raises:
        ConfigError: an address is wrong.
    """
    return RuleOptions(
        exporter_url=external_url(arguments.external_url, metrics),
        runbook_url=arguments.runbook_url and _linked("--runbook-url", arguments.runbook_url),
        dashboard_url=_linked("--dashboard-url", arguments.dashboard_url),
    )


def local_links(configured: config.Configuration, linked: RuleOptions) -> list[str]:
    """Return a warning if the alerts that the exporter sends link to the default addresses, on localhost."""
    defaults = {
        "--web.external-url": (linked.exporter_url, EXPORTER_URL),
        "--dashboard-url": (linked.dashboard_url, DASHBOARD_URL),
    }
    flags = [flag for flag, (address, default) in defaults.items() if address.rstrip("/") == default]
    if configured.alertmanager is None or not flags:
        return []
    found, verb = " and ".join(defaults[flag][1] for flag in flags), "set" if len(flags) > 1 else "sets"
    return [f"alertmanager: alerts link to {found}; {' and '.join(flags)} {verb} another address"]


def _linked(flag: str, text: str) -> str:
    """Return an address that alerts link to.

    Raises:
        ConfigError: it is not an http or https address.
    """
    if http_scheme(text) is None:
        raise ConfigError(
            f"{flag}: found {text!r}, expected an http or https address such as https://example.com"
        )
    return text


def configuration(arguments: argparse.Namespace, *, files: bool = True) -> config.Configuration:
    """Return the configuration that the flags or the environment name.

    With `files`, the files that it names must be readable.

    Raises:
        ConfigError: the configuration is wrong, or there is none.
    """
    return config.load(arguments.config_file, os.environ, KNOWN_FAMILIES, NAMES, files=files)


def telemetry_path(text: str) -> str:
    """Return the path of the metrics.

    Raises:
        ConfigError: it is not a path, or it is one of the exporter's own.
    """
    if not _PATH.fullmatch(text) or _first(text) in _OWN_PARTS:
        raise ConfigError(
            f"--web.telemetry-path: found {text!r}, expected a path such as /metrics: with a slash at its beginning, "
            f"without escapes, and elsewhere than the pages, which are at {_OWN_PATHS}"
        )
    return text


def external_url(text: str, metrics: str = "/metrics") -> str:
    """Return the pages' address.

    Raises:
        ConfigError: the text is not an http or https address, has more than a host and a path, or its path is the
            beginning of one of the exporter's own paths, which must not be removed from a request.
    """
    match = _PAGES_URL.fullmatch(text)
    if match is None or http_scheme(text) is None:
        raise ConfigError(
            f"--web.external-url: found {_without_user(text)!r}, expected an address such as https://example.com/feldera: "
            "http or https, a host and perhaps a path without escapes, but no user, query or fragment"
        )
    path = (match[1] or "").rstrip("/")
    if path and (_first(path) in _OWN_PARTS or f"{metrics}/".startswith(f"{path}/")):
        raise ConfigError(
            f"--web.external-url: found the path {path!r}, expected one that begins otherwise than the exporter's own: "
            f"the metrics are at {metrics}, the pages at {_OWN_PATHS}"
        )
    return text


def _first(path: str) -> str:
    """Return what is between the first two slashes of a path."""
    return path.split("/")[1]


def _without_user(url: str) -> str:
    """Return an address without its user and password."""
    return re.sub(r"//.*@", "//…@", url)
