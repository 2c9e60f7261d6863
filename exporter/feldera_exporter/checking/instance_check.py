"""Checks one instance: its version, what the API key gives access to, and how many samples the exporter will export."""

import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from feldera_exporter.config import Configuration, Instance, format_duration
from feldera_exporter.errors import ExporterError
from feldera_exporter.feldera.client import (
    CLUSTER_HEALTH,
    CONFIG,
    EVENTS,
    SESSION,
    Client,
)
from feldera_exporter.feldera.errors import (
    FelderaError,
    NotFoundError,
    UnauthorizedError,
    UnsupportedError,
)
from feldera_exporter.feldera.pipeline_list import Listing, read
from feldera_exporter.feldera.platform import License, Platform, with_config, with_health, with_session
from feldera_exporter.ledger import Ledger
from feldera_exporter.logs import Logger, source_location
from feldera_exporter.metrics.catalogue import catalogue
from feldera_exporter.metrics.exposition_sections import ExpositionSections, updated_sections
from feldera_exporter.micros import Micros, from_seconds
from feldera_exporter.pages import formatting
from feldera_exporter.polling.client_factory import client_for
from feldera_exporter.problems.evaluate import NO_PROBLEMS, InstanceWithProblems
from feldera_exporter.state.fleet import Fleet, observed
from feldera_exporter.state.instance_settings import InstanceSettings
from feldera_exporter.state.pipeline import Pipeline
from feldera_exporter.state.selection import Selection, select
from feldera_exporter.store.poll_changes import NOTHING

_MAX_SKEW: Final = 30.0
"""A larger clock skew in seconds gives a warning: ages of statuses are wrong by as much."""
_SLOW: Final = 0.5
"""From this part of the timeout on, a response counts as slow."""
_MAX_NAMED: Final = 5
"""The number of unreadable pipelines of an instance that are named."""
_BATCH_PIPELINES: Final = 200
"""The number of pipelines whose samples are counted together."""
_PLATFORM_ENDPOINTS: Final = ((CONFIG, with_config), (SESSION, with_session), (CLUSTER_HEALTH, with_health))


async def check_instance(
    configuration: Configuration, instance: Instance, log: Logger
) -> tuple[bool, Sequence[str]]:
    """Request everything once that the exporter requests from an instance.

    Return whether the instance can be watched, and the lines about it. A failure is in the lines, and is not raised.
    """
    title = f"{instance.name}: {instance.url}"
    try:
        client = client_for(instance, lambda *_: None, log)
        try:
            return True, [title, *[f"  {line}" async for line in _lines(configuration, instance, client)]]
        finally:
            await client.close()
    except UnauthorizedError as error:
        return False, (title, "  reachable: yes", f"  authorised: no: {error}")
    except ExporterError as error:
        return False, (title, f"  failed: {error}")
    except Exception as error:  # noqa: BLE001 - a bug must not hide the results of other instances
        return False, (title, f"  failed: {type(error).__name__} at {source_location(error)}")


async def _lines(configuration: Configuration, instance: Instance, client: Client) -> AsyncIterator[str]:
    answer = await client.list(within=instance.timeout)
    now = time.time()
    listing = read(answer.body, Listing())
    platform, silent = await _platform(client, instance.timeout)
    # The header's time, cut to whole seconds, lies between the request and the response.
    skew = answer.date + 0.5 - (now - answer.elapsed / 2) if answer.date is not None else None
    fleet = _fleet(configuration, instance, listing, from_seconds(now + (skew or 0.0)))
    names = [pipeline.facts.row.name for pipeline in fleet.pipelines.values()]
    yield f"reachable: in {answer.elapsed * 1000:.0f} ms"
    if SESSION.name in silent:
        yield f"authorised: yes, tenant unknown: {silent.pop(SESSION.name)}"
    else:
        yield f"authorised: as tenant {platform.tenant}" + (
            f" with role {platform.role}" if platform.role else ""
        )
    if platform.version is not None:
        yield f"version: {platform.version}" + (f", {platform.edition}" if platform.edition else "")
    if platform.license is not None:
        yield f"license: {_license(platform.license)}"
    yield f"event log: {await _event_log(client, names, instance.timeout, platform)}"
    if skew is None:
        yield "clock: unknown, the response has no Date header"
    else:
        hint = f"; warning: more than {_MAX_SKEW:.0f} s" if abs(skew) > _MAX_SKEW else ""
        yield f"clock: {skew:+.1f} s from this machine's, to within a second{hint}"
    yield f"pipelines: {len(listing.entries)}, watched: {len(names)}, unreadable: {len(listing.unreadable)}"
    yield f"samples: {_samples(configuration, replace(fleet, platform=platform))}"
    for pipeline in listing.unreadable[:_MAX_NAMED]:
        yield f"warning: {pipeline.title} cannot be read: {pipeline.reason}"
    if answer.elapsed > _SLOW * instance.timeout:
        timeout = format_duration(instance.timeout)
        yield f"warning: the list took {answer.elapsed:.1f} s, close to the timeout of {timeout}"
    for warning in _warnings(platform):
        yield f"warning: {warning}"
    for endpoint, reason in silent.items():
        yield f"warning: no answer from {endpoint}: {reason}"


async def _platform(client: Client, within: float) -> tuple[Platform, dict[str, str]]:
    """Return what Feldera answers about itself, and the errors by the failed endpoints' names."""
    platform, silent = Platform(), {}
    for endpoint, take in _PLATFORM_ENDPOINTS:
        try:
            platform = take(platform, (await client.get(endpoint, within=within)).body)
        except FelderaError as error:
            silent[endpoint.name] = str(error)
    return platform, silent


def _warnings(platform: Platform) -> Iterator[str]:
    unhealthy = ", ".join(name for name, service in platform.services.items() if not service.healthy)
    if unhealthy:
        yield f"Feldera reports as unhealthy: {unhealthy}"
    if platform.stale:
        yield "Feldera's cluster monitor is stale: the health of its services is out of date"


def _license(found: License) -> str:
    until = f" until {formatting.instant(found.expiry)}" if found.expiry is not None else ""
    return ("valid" if found.valid else "not valid") + until + (", for development" if found.is_dev else "")


async def _event_log(client: Client, names: Sequence[str], within: float, platform: Platform) -> str:
    """Return whether the instance has an event log, in words."""
    there = platform.has_event_log
    if names:
        try:
            await client.get(EVENTS, names[0], within=within)
        except UnsupportedError:
            there = False
        except NotFoundError:
            # The pipeline was deleted since the list. Only a Feldera with an event log says so.
            there = True
        except FelderaError:
            there = None
        else:
            there = True
    if there is None:
        return "unknown"
    return "yes" if there else "no: transitions between polls will not be seen"


def _fleet(configuration: Configuration, instance: Instance, listing: Listing, at: Micros) -> Fleet:
    """Return the instance as it is after the exporter's first poll."""
    settings, ledger = InstanceSettings(configuration, instance), Ledger(instance.name)
    selection = select(listing, settings, Selection())
    ledger.observe_list(selection.rows, selection.lost, at, NOTHING, event_log=True)
    return observed(Fleet(instance.name), selection, ledger.published(), settings, at)


def _samples(configuration: Configuration, fleet: Fleet) -> int:
    """Return the number of samples, counted in batches of pipelines: the exporter may need the memory beside it."""
    shown = catalogue(tuple(configuration.tag_labels), configuration.metrics.exclude)

    def count(pipelines: Mapping[str, Pipeline]) -> int:
        instance = InstanceWithProblems(replace(fleet, pipelines=pipelines), NO_PROBLEMS)
        return updated_sections(ExpositionSections(), (instance,), shown).samples

    of_instance, pipelines = count({}), iter(fleet.pipelines.items())
    of_pipelines = 0
    while batch := dict(islice(pipelines, _BATCH_PIPELINES)):
        of_pipelines += count(batch) - of_instance
    return of_instance + of_pipelines
