"""Check the configuration, and unless --offline what each Feldera instance and each Alertmanager says to it."""

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator

import structlog

from feldera_exporter import logs
from feldera_exporter.checking.alertmanager_check import AlertmanagerReport, asked
from feldera_exporter.checking.instance_check import InstanceReport, inspect
from feldera_exporter.checking.lint import advice
from feldera_exporter.commands.flags import add_configuration, configuration
from feldera_exporter.config import Configuration, format_duration
from feldera_exporter.config.permissions import readable_by_all
from feldera_exporter.feldera.platform import License
from feldera_exporter.pages import formatting

_SKEWED = 30.0
"""Seconds between two clocks from which on it is worth a warning: ages of statuses are wrong by as much."""
_SLOW = 0.5
"""The part of the timeout from which on an answer is close to it."""
_MOST = 5
"""Unreadable pipelines of an instance that are named."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    add_configuration(parser)
    parser.add_argument(
        "--offline",
        action="store_true",
        help="ask no instance; files that the configuration names may be on another machine",
    )


def main(arguments: argparse.Namespace) -> int:
    """Print what was found and return 0, or 1 if some instance cannot be watched or some Alertmanager cannot be told.

    Raises:
        ConfigError: the configuration is wrong.
    """
    logs.configure("error", "logfmt")
    elsewhere: list[str] = []
    configured = configuration(arguments, os.environ, elsewhere if arguments.offline else None)
    names = ", ".join(instance.name for instance in configured.instances)
    _print(f"configuration: valid; instances: {names}")
    exposed = readable_by_all(configured, arguments.config_file, None)
    _print(*(f"warning: {line}" for line in (*elsewhere, *advice(configured), *exposed)))
    if arguments.offline:
        return 0
    findings = asyncio.run(_inspected(configured))
    for finding in findings:
        _print(*_lines(finding))
    replies = asyncio.run(_replies(configured))
    _print(*(_reply(each) for each in replies))
    failed = any(finding.failure is not None for finding in findings) or any(each.failure for each in replies)
    return int(failed)


async def _inspected(configured: Configuration) -> list[InstanceReport]:
    log = structlog.get_logger()
    return await asyncio.gather(*(inspect(configured, instance, log) for instance in configured.instances))


async def _replies(configured: Configuration) -> list[AlertmanagerReport]:
    if configured.alertmanager is None:
        return []
    return await asked(configured.alertmanager, structlog.get_logger())


def _reply(reply: AlertmanagerReport) -> str:
    if reply.status is None:
        return f"alertmanager {reply.url}: failed: {reply.label}: {reply.failure}"
    version, cluster = reply.status.version.version or "unknown", reply.status.cluster
    peers = f", peers: {len(cluster.peers)}" if cluster.peers else ""
    return f"alertmanager {reply.url}: {reply.label}: version {version}, cluster {cluster.status or 'unknown'}{peers}"


def _lines(finding: InstanceReport) -> Iterator[str]:
    yield f"{finding.instance.name}: {finding.instance.url}"
    if finding.refused:
        yield "  reachable: yes"
        yield f"  authorised: no: {finding.failure}"
        return
    if finding.failure is not None:
        yield f"  failed: {finding.failure}"
        return
    platform, silent = finding.platform, dict(finding.silent)
    yield f"  reachable: in {finding.elapsed * 1000:.0f} ms"
    if "session" in silent:
        yield f"  authorised: yes, but not told as whom: {silent.pop('session')}"
    else:
        yield f"  authorised: as tenant {platform.tenant}" + (
            f" with role {platform.role}" if platform.role else ""
        )
    if platform.version is not None:
        yield f"  version: {platform.version}" + (f", {platform.edition}" if platform.edition else "")
    if platform.license is not None:
        yield f"  license: {_license(platform.license)}"
    yield f"  event log: {_EVENT_LOG[finding.event_log]}"
    if finding.skew is None:
        yield "  clock: it does not tell the time"
    else:
        hint = f"; warning: more than {_SKEWED:.0f} s" if abs(finding.skew) > _SKEWED else ""
        yield f"  clock: {finding.skew:+.1f} s from this machine's, give or take a second{hint}"
    listing = finding.listing
    yield f"  pipelines: {len(listing.entries)}, watched: {finding.watched}, unreadable: {len(listing.unreadable)}"
    yield f"  samples: {finding.samples}"
    for warning in _warnings(finding):
        yield f"  warning: {warning}"
    for endpoint, reason in silent.items():
        yield f"  warning: no answer from {endpoint}: {reason}"


def _warnings(finding: InstanceReport) -> Iterator[str]:
    platform = finding.platform
    for one in finding.listing.unreadable[:_MOST]:
        yield f"{one.title} cannot be read: {one.reason}"
    timeout = finding.instance.timeout
    if finding.elapsed > _SLOW * timeout:
        yield f"the list took {finding.elapsed:.1f} s, close to the timeout of {format_duration(timeout)}"
    unhealthy = ", ".join(name for name, service in platform.services.items() if not service.healthy)
    if unhealthy:
        yield f"Feldera reports as unhealthy: {unhealthy}"
    if platform.stale:
        yield "Feldera's own monitor is stale: nobody looks whether its services are healthy"


def _license(told: License) -> str:
    until = f" until {formatting.instant(told.expiry)}" if told.expiry is not None else ""
    return ("valid" if told.valid else "not valid") + until + (", for development" if told.is_dev else "")


_EVENT_LOG = {
    True: "yes",
    False: "no: transitions between polls will not be seen",
    None: "unknown",
}


def _print(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
