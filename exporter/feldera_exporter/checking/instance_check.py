"""A look at one instance: what it is, what the exporter may see of it, and how much there will be to scrape."""

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
    Endpoint,
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
from feldera_exporter.polling.client_factory import client_for
from feldera_exporter.problems.evaluate import NO_PROBLEMS
from feldera_exporter.problems.observed_instance import ObservedInstance
from feldera_exporter.state.fleet import Fleet, observed
from feldera_exporter.state.instance_settings import InstanceSettings
from feldera_exporter.state.pipeline import Pipeline
from feldera_exporter.state.selection import Selection, select
from feldera_exporter.store.poll_changes import NOTHING

_MICROSECONDS: Final = 1_000_000
_AT_ONCE: Final = 200
"""Pipelines whose samples are counted at once."""
_ASIDE: Final = ((CONFIG, with_config), (SESSION, with_session), (CLUSTER_HEALTH, with_health))


@dataclass(frozen=True, slots=True)
class InstanceReport:
    """What was found out about an instance.

    Attributes:
        instance: which.
        failure: why its pipelines cannot be listed; None where they can.
        refused: whether that is because of who asks.
        elapsed: seconds that the list took.
        skew: Feldera's clock minus this machine's in seconds, None where it does not tell the time.
        platform: what it says of itself.
        silent: why it does not say some of that, by the endpoint's name.
        event_log: whether it has one; None where that could not be found out.
        watched: pipelines that the configuration includes.
        listing: all pipelines.
        samples: how many samples the exporter will show of it.
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
    """Ask an instance once for everything that the exporter asks for."""
    try:
        client = client_for(instance, _unobserved, log)
        try:
            return await _inspect(configuration, instance, client)
        finally:
            await client.close()
    except ExporterError as error:
        return InstanceReport(instance, failure=str(error), refused=isinstance(error, UnauthorizedError))
    except Exception as error:  # noqa: BLE001 - a mistake of our own must hide nothing of the other instances
        return InstanceReport(instance, failure=f"{type(error).__name__} at {source_location(error)}")


async def _inspect(configuration: Configuration, instance: Instance, client: Client) -> InstanceReport:
    answer = await client.list(within=instance.timeout)
    now = time.time()
    listing = read(answer.body, Listing())
    # The header is whole seconds, cut off, of a moment between the request and the answer.
    skew = answer.date + 0.5 - (now - answer.elapsed / 2) if answer.date is not None else None
    platform, silent = Platform(), []
    for endpoint, take in _ASIDE:
        try:
            platform = take(platform, (await client.get(endpoint, within=instance.timeout)).body)
        except FelderaError as error:
            silent.append((endpoint.name, str(error)))
    at = round((now + (skew or 0.0)) * _MICROSECONDS)
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
        # Deleted since the list; Feldera says so where it has the route.
        return True
    except FelderaError:
        return None
    return True


def _fleet(configuration: Configuration, instance: Instance, listing: Listing, at: int) -> Fleet:
    """Return the instance as the exporter shows it after its first poll."""
    policy, ledger = InstanceSettings(configuration, instance), Ledger(instance.name)
    selection = select(listing, policy, Selection())
    ledger.listed(selection.rows, selection.lost, at, NOTHING, event_log=True)
    return observed(Fleet(instance.name), selection, ledger.shown(), policy, at)


def _samples(configuration: Configuration, fleet: Fleet) -> int:
    """Count the samples some pipelines at a time: all of the text at once takes as much memory as the exporter itself."""
    shown = catalogue(tuple(configuration.tag_labels.expressions), configuration.metrics.exclude)

    def count(pipelines: Mapping[str, Pipeline]) -> int:
        return updated_sections(
            ExpositionSections(), (ObservedInstance(replace(fleet, pipelines=pipelines), NO_PROBLEMS),), shown
        ).samples

    own, pipelines = count({}), iter(fleet.pipelines.items())
    of_pipelines = 0
    while some := dict(islice(pipelines, _AT_ONCE)):
        of_pipelines += count(some) - own
    return own + of_pipelines


def _unobserved(endpoint: Endpoint, code: str, elapsed: float) -> None:
    """Take no note of a request."""
