"""Checks one instance: its version, what the API key gives access to, and how many samples the exporter will export."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

from feldera_exporter.config import Configuration, Instance
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
from feldera_exporter.feldera.platform import Platform, with_config, with_health, with_session
from feldera_exporter.ledger import Ledger
from feldera_exporter.logs import Logger, source_location
from feldera_exporter.metrics.catalogue import catalogue
from feldera_exporter.metrics.exposition_sections import ExpositionSections, updated_sections
from feldera_exporter.micros import Micros, from_seconds
from feldera_exporter.polling.client_factory import client_for
from feldera_exporter.problems.evaluate import NO_PROBLEMS, InstanceWithProblems
from feldera_exporter.state.fleet import Fleet, observed
from feldera_exporter.state.instance_settings import InstanceSettings
from feldera_exporter.state.pipeline import Pipeline
from feldera_exporter.state.selection import Selection, select
from feldera_exporter.store.poll_changes import NOTHING

_BATCH_PIPELINES: Final = 200
"""The number of pipelines whose samples are counted together."""
_PLATFORM_ENDPOINTS: Final = ((CONFIG, with_config), (SESSION, with_session), (CLUSTER_HEALTH, with_health))


@dataclass(frozen=True, slots=True)
class InstanceReport:
    """The result for one instance.

    Attributes:
        failure: why its pipelines cannot be listed; None if they can.
        refused: whether Feldera refused the API key.
        elapsed: the duration of the list request in seconds.
        skew: Feldera's clock minus this machine's in seconds; None without a `Date` header.
        platform: its version, services and license.
        silent: the failed endpoints of `platform`: pairs of the name and the error.
        event_log: whether it has an event log; None if that is not known.
        watched: the number of pipelines that the configuration includes.
        samples: the number of samples that the exporter will export for it.
    """

    instance: Instance
    failure: str | None = None
    refused: bool = False
    elapsed: float = 0.0
    skew: float | None = None
    platform: Platform = field(default_factory=Platform)
    silent: tuple[tuple[str, str], ...] = ()
    event_log: bool | None = None
    watched: int = 0
    listing: Listing = field(default_factory=Listing)
    samples: int = 0


async def inspect(configuration: Configuration, instance: Instance, log: Logger) -> InstanceReport:
    """Request everything once that the exporter requests from an instance. Failures are in the report, not raised."""
    try:
        client = client_for(instance, lambda *_: None, log)
        try:
            return await _inspect(configuration, instance, client)
        finally:
            await client.close()
    except ExporterError as error:
        return InstanceReport(instance, failure=str(error), refused=isinstance(error, UnauthorizedError))
    except Exception as error:  # noqa: BLE001 - a bug must not hide the results of other instances
        return InstanceReport(instance, failure=f"{type(error).__name__} at {source_location(error)}")


async def _inspect(configuration: Configuration, instance: Instance, client: Client) -> InstanceReport:
    answer = await client.list(within=instance.timeout)
    now = time.time()
    listing = read(answer.body, Listing())
    # The header's time, cut to whole seconds, lies between the request and the response.
    skew = answer.date + 0.5 - (now - answer.elapsed / 2) if answer.date is not None else None
    platform, silent = Platform(), []
    for endpoint, take in _PLATFORM_ENDPOINTS:
        try:
            platform = take(platform, (await client.get(endpoint, within=instance.timeout)).body)
        except FelderaError as error:
            silent.append((endpoint.name, str(error)))
    at = from_seconds(now + (skew or 0.0))
    fleet = _fleet(configuration, instance, listing, at)
    names = [pipeline.facts.row.name for pipeline in fleet.pipelines.values()]
    return InstanceReport(
        instance,
        elapsed=answer.elapsed,
        skew=skew,
        platform=platform,
        silent=tuple(silent),
        event_log=await _event_log(client, names, instance.timeout, platform),
        watched=len(names),
        listing=listing,
        samples=_samples(configuration, replace(fleet, platform=platform)),
    )


async def _event_log(client: Client, names: list[str], within: float, platform: Platform) -> bool | None:
    if not names:
        return platform.has_event_log
    try:
        await client.get(EVENTS, names[0], within=within)
    except UnsupportedError:
        return False
    except NotFoundError:
        # The pipeline was deleted since the list. Only a Feldera with an event log says so.
        return True
    except FelderaError:
        return None
    return True


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
        return updated_sections(
            ExpositionSections(),
            (InstanceWithProblems(replace(fleet, pipelines=pipelines), NO_PROBLEMS),),
            shown,
        ).samples

    of_instance, pipelines = count({}), iter(fleet.pipelines.items())
    of_pipelines = 0
    while batch := dict(islice(pipelines, _BATCH_PIPELINES)):
        of_pipelines += count(batch) - of_instance
    return of_instance + of_pipelines
