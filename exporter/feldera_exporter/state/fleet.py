"""The fleet: one instance with all its pipelines as one immutable value. Each poll makes a new one."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from feldera_exporter.differences import changed_keys
from feldera_exporter.feldera.label_variants import NONE
from feldera_exporter.feldera.pipeline_list import Entry
from feldera_exporter.feldera.platform import Platform
from feldera_exporter.history.history import History
from feldera_exporter.history.instance_totals import InstanceTotals, label
from feldera_exporter.micros import Micros
from feldera_exporter.state.instance_settings import InstanceSettings
from feldera_exporter.state.pipeline import Pipeline
from feldera_exporter.state.pipeline_names import updated_names
from feldera_exporter.state.runner_activity import Activity, updated_activity
from feldera_exporter.state.selection import Selection, changed_ids
from feldera_exporter.store.poll_changes import NO_NAMES, Names


@dataclass(frozen=True, slots=True)
class PublishedCounters:
    """The counters that are exported now; instants are by Feldera's clock.

    Attributes:
        histories: the history of each pipeline, by id.
        totals: the counters of the instance.
        as_of: up to when the time in present statuses is counted.
        credited: that instant for the pipelines with another one, by id.
    """

    histories: Mapping[str, History] = field(default_factory=dict)
    totals: InstanceTotals = field(default_factory=InstanceTotals)
    as_of: Micros = 0
    credited: Mapping[str, Micros] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PollFailure:
    """Why the last poll of the list failed.

    Attributes:
        outcome: of `feldera_exporter.feldera.errors.OUTCOMES`.
        text: the error in one line, without secrets.
        since: when polls began to fail, by Feldera's clock.
    """

    outcome: str
    text: str
    since: Micros


@dataclass(frozen=True, slots=True)
class Fleet:
    """The exported state of one instance; instants are by Feldera's clock.

    Attributes:
        instance: its name in the configuration.
        up: whether one of the last polls of the list succeeded; None before the first one ended.
        size: the number of pipelines; None while it is not known.
        pipelines: the pipelines by id.
        platform: Feldera's version, services and license.
        counters: the exported counters, of which `pipelines` was made.
        lost: the pipelines whose list element cannot be read, by id, with when that was first so.
        unreadable: how to name these pipelines in the log, including those without a known id.
        read_at: when the list was last read.
        failure: why the last poll failed; None after one that succeeded, and before the first.
        stale_pipelines: the last known pipelines, by id, while none is shown because they are stale.
        names: the names of the pipelines, also those that they had before.
        selection: the selection that `pipelines` was made of; None after other settings, and while none is shown.
    """

    instance: str
    up: bool | None = None
    size: int | None = None
    pipelines: Mapping[str, Pipeline] = field(default_factory=dict)
    platform: Platform = field(default_factory=Platform)
    counters: PublishedCounters = field(default_factory=PublishedCounters)
    lost: Mapping[str, Micros] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()
    read_at: Micros = 0
    failure: PollFailure | None = None
    stale_pipelines: Mapping[str, Pipeline] = field(default_factory=dict)
    names: Names = field(default_factory=lambda: NO_NAMES)
    selection: Selection | None = None

    @property
    def last_known(self) -> Mapping[str, Pipeline]:
        """The pipelines as they were last known, by id, however old that is."""
        return self.pipelines or self.stale_pipelines


def observed(
    fleet: Fleet, selection: Selection, counters: PublishedCounters, settings: InstanceSettings, now: Micros
) -> Fleet:
    """Return the fleet after a list, or more of the event logs, was read.

    A pipeline that is no longer listed is removed. A pipeline whose list element cannot be read stays as it was for
    `staleness`, with its counters still updated, and is then removed too.

    Args:
        fleet: the fleet before.
        selection: the watched pipelines of the list.
        counters: the counters to export, for every pipeline that the settings include.
        settings: the settings of the instance.
        now: Feldera's time of the response, in microseconds.
    """
    read = replace(fleet, up=True, counters=counters, read_at=now, failure=None)
    if fleet.selection is selection and fleet.counters.histories is counters.histories and not fleet.lost:
        return read
    pipelines = _updated(fleet, selection, counters, settings, now)
    lost: Mapping[str, Micros] = {}
    names = fleet.names
    if pipelines is None:
        names = updated_names(fleet.names, selection, now)
        pipelines = {
            pipeline_id: _pipeline(
                fleet.pipelines.get(pipeline_id), entry, history, counters.totals, settings, now
            )
            for pipeline_id, history in counters.histories.items()
            if (entry := selection.listing.entries.get(pipeline_id)) is not None
        }
        lost = _lost(fleet, selection, settings, now)
        pipelines |= {
            pipeline_id: replace(fleet.pipelines[pipeline_id], history=counters.histories[pipeline_id])
            for pipeline_id, since in lost.items()
            if now - since <= settings.staleness
            and pipeline_id in fleet.pipelines
            and pipeline_id in counters.histories
        }
    return replace(
        read,
        size=len(pipelines),
        pipelines=pipelines,
        lost=lost,
        unreadable=tuple(
            unreadable.title
            for unreadable in selection.listing.unreadable
            if unreadable.name is None or settings.includes(unreadable.name)
        ),
        stale_pipelines={},
        names=names,
        selection=selection,
    )


def _updated(
    fleet: Fleet, selection: Selection, counters: PublishedCounters, settings: InstanceSettings, now: Micros
) -> dict[str, Pipeline] | None:
    """Return the pipelines with only the changed ones replaced; None if ids or names changed or some cannot be read."""
    if fleet.selection is None or selection.listing.unreadable or fleet.lost:
        return None
    rows = changed_ids(fleet.selection.listing, selection.listing)
    histories = changed_keys(fleet.counters.histories, counters.histories)
    if rows is None or histories is None:
        return None
    pipelines = dict(fleet.pipelines)
    for pipeline_id in {*rows, *histories} & pipelines.keys():
        entry, history = selection.listing.entries[pipeline_id], counters.histories[pipeline_id]
        pipelines[pipeline_id] = _pipeline(
            pipelines[pipeline_id], entry, history, counters.totals, settings, now
        )
    return pipelines


def _lost(
    fleet: Fleet, selection: Selection, settings: InstanceSettings, now: Micros
) -> Mapping[str, Micros]:
    """Return the known pipelines whose list element cannot be read, by id, with when that was first so."""
    unreadable = selection.lost
    if not unreadable:
        return {}
    # The names also know the pipelines from before a restart or a long outage.
    known = {name.pipeline_id: name.name for name, gone in fleet.names.items() if gone is None}
    return {
        pipeline_id: fleet.lost.get(pipeline_id, now)
        for pipeline_id, element in unreadable.items()
        if pipeline_id in known and settings.includes(element.name or known[pipeline_id])
    }


def unobserved(fleet: Fleet, settings: InstanceSettings, now: Micros, *, up: bool = False) -> Fleet:
    """Return the fleet after a failed poll: the last state stays for `staleness`, then the pipelines are removed.

    `up` is whether one of the last polls succeeded.
    """
    if now - fleet.read_at <= settings.staleness:
        return replace(fleet, up=up)
    return replace(
        fleet,
        up=up,
        size=None,
        pipelines={},
        stale_pipelines=fleet.last_known,
        lost={},
        unreadable=(),
        selection=None,
    )


def with_failure(fleet: Fleet, outcome: str, text: str, now: Micros) -> Fleet:
    """Return the fleet with why the last poll failed (see `PollFailure`); polls that failed before it began the failure."""
    since = now if fleet.failure is None else fleet.failure.since
    return replace(fleet, failure=PollFailure(outcome, text, since))


def with_settings(fleet: Fleet, settings: InstanceSettings) -> Fleet:
    """Return the fleet with other settings, after a reload of the configuration."""
    pipelines = _again(fleet.pipelines, settings)
    size = None if fleet.size is None else len(pipelines)
    stale = _again(fleet.stale_pipelines, settings)
    return replace(fleet, size=size, pipelines=pipelines, stale_pipelines=stale, selection=None)


def _again(pipelines: Mapping[str, Pipeline], settings: InstanceSettings) -> Mapping[str, Pipeline]:
    return {
        pipeline_id: replace(pipeline, facts=settings.again(pipeline.facts))
        for pipeline_id, pipeline in pipelines.items()
        if settings.includes(pipeline.facts.row.name)
    }


def _pipeline(
    old: Pipeline | None,
    entry: Entry,
    history: History,
    totals: InstanceTotals,
    settings: InstanceSettings,
    now: Micros,
) -> Pipeline:
    dated = history.since.storage is not None and history.since.storage > 0
    if old is None:
        activity = Activity(now, now)
    else:
        activity = updated_activity(old.activity, old.progress, entry.progress, now)
        if old.facts.row is entry.row and old.facts.storage_dated == dated:
            if old.progress is entry.progress and old.history is history:
                return old
            return Pipeline(old.facts, entry.progress, history, activity)
    error = entry.row.deployment_error
    code = label(totals, error.error_code) if error is not None else None
    variants = old.facts.variants if old is not None else NONE
    facts = settings.facts(entry.row, code, variants, storage_dated=dated)
    return Pipeline(facts, entry.progress, history, activity)
