"""Check the configuration and, unless --offline is set, each Feldera instance and each Alertmanager."""

import argparse
import asyncio
import sys
from collections.abc import Iterator

import structlog

from feldera_exporter import logs
from feldera_exporter.checking.alertmanager_check import AlertmanagerReport, alertmanager_reports
from feldera_exporter.checking.instance_check import InstanceReport, inspect
from feldera_exporter.checking.lint import advice
from feldera_exporter.commands.flags import add_configuration, add_web_config, configuration
from feldera_exporter.config import Configuration, format_duration
from feldera_exporter.config.permissions import readable_by_all
from feldera_exporter.feldera.platform import License
from feldera_exporter.pages import formatting
from feldera_exporter.server.web_access import WebAccess

_MAX_SKEW = 30.0
"""A larger clock skew in seconds gives a warning: ages of statuses are wrong by as much."""
_SLOW = 0.5
"""From this part of the timeout on, a response counts as slow."""
_MAX_NAMED = 5
"""The number of unreadable pipelines of an instance that are named."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    add_configuration(parser)
    add_web_config(parser)
    parser.add_argument(
        "--offline",
        action="store_true",
        help="send no requests; files that the configuration names may be on another machine",
    )


def main(arguments: argparse.Namespace) -> int:
    """Print the results and return 0, or 1 if an instance or an Alertmanager cannot be reached.

    Raises:
        ConfigError: the configuration, or the file of `--web.config.file`, is wrong.
    """
    logs.configure("error", "logfmt")
    if arguments.web_config is not None:
        WebAccess(arguments.web_config, structlog.get_logger())
    configured = configuration(arguments, files=not arguments.offline)
    names = ", ".join(instance.name for instance in configured.instances)
    _print(f"configuration: valid; instances: {names}")
    if arguments.web_config is not None:
        _print("web configuration: valid")
    exposed = readable_by_all(configured, arguments.config_file, None)
    _print(*(f"warning: {line}" for line in (*advice(configured), *exposed)))
    if arguments.offline:
        return 0
    return asyncio.run(_check(configured))


async def _check(configured: Configuration) -> int:
    log = structlog.get_logger()
    reports = await asyncio.gather(*(inspect(configured, instance, log) for instance in configured.instances))
    for report in reports:
        _print(*_instance_lines(report))
    alertmanagers: list[AlertmanagerReport] = []
    if configured.alertmanager is not None:
        alertmanagers = await alertmanager_reports(configured.alertmanager, log)
    _print(*(_alertmanager_line(each) for each in alertmanagers))
    failed = any(each.failure is not None for each in reports) or any(each.failure for each in alertmanagers)
    return int(failed)


def _alertmanager_line(report: AlertmanagerReport) -> str:
    if report.status is None:
        return f"alertmanager {report.url}: failed: {report.label}: {report.failure}"
    version, cluster = report.status.version.version or "unknown", report.status.cluster
    peers = f", peers: {len(cluster.peers)}" if cluster.peers else ""
    return f"alertmanager {report.url}: {report.label}: version {version}, cluster {cluster.status or 'unknown'}{peers}"


def _instance_lines(report: InstanceReport) -> Iterator[str]:
    yield f"{report.instance.name}: {report.instance.url}"
    if report.refused:
        yield "  reachable: yes"
        yield f"  authorised: no: {report.failure}"
        return
    if report.failure is not None:
        yield f"  failed: {report.failure}"
        return
    platform, silent = report.platform, dict(report.silent)
    yield f"  reachable: in {report.elapsed * 1000:.0f} ms"
    if "session" in silent:
        yield f"  authorised: yes, tenant unknown: {silent.pop('session')}"
    else:
        yield f"  authorised: as tenant {platform.tenant}" + (
            f" with role {platform.role}" if platform.role else ""
        )
    if platform.version is not None:
        yield f"  version: {platform.version}" + (f", {platform.edition}" if platform.edition else "")
    if platform.license is not None:
        yield f"  license: {_license(platform.license)}"
    yield f"  event log: {_EVENT_LOG[report.event_log]}"
    if report.skew is None:
        yield "  clock: unknown, the response has no Date header"
    else:
        hint = f"; warning: more than {_MAX_SKEW:.0f} s" if abs(report.skew) > _MAX_SKEW else ""
        yield f"  clock: {report.skew:+.1f} s from this machine's, to within a second{hint}"
    listing = report.listing
    yield f"  pipelines: {len(listing.entries)}, watched: {report.watched}, unreadable: {len(listing.unreadable)}"
    yield f"  samples: {report.samples}"
    for warning in _warnings(report):
        yield f"  warning: {warning}"
    for endpoint, reason in silent.items():
        yield f"  warning: no answer from {endpoint}: {reason}"


def _warnings(report: InstanceReport) -> Iterator[str]:
    platform = report.platform
    for pipeline in report.listing.unreadable[:_MAX_NAMED]:
        yield f"{pipeline.title} cannot be read: {pipeline.reason}"
    timeout = report.instance.timeout
    if report.elapsed > _SLOW * timeout:
        yield f"the list took {report.elapsed:.1f} s, close to the timeout of {format_duration(timeout)}"
    unhealthy = ", ".join(name for name, service in platform.services.items() if not service.healthy)
    if unhealthy:
        yield f"Feldera reports as unhealthy: {unhealthy}"
    if platform.stale:
        yield "Feldera's cluster monitor is stale: the health of its services is out of date"


def _license(found: License) -> str:
    until = f" until {formatting.instant(found.expiry)}" if found.expiry is not None else ""
    return ("valid" if found.valid else "not valid") + until + (", for development" if found.is_dev else "")


_EVENT_LOG = {
    True: "yes",
    False: "no: transitions between polls will not be seen",
    None: "unknown",
}


def _print(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
