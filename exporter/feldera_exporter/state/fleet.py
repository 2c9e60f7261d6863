"""The fleet: one instance with all its pipelines as one frozen value, replaced whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from feldera_exporter.differences import changed_keys
from feldera_exporter.feldera.pipeline_list import Entry
from feldera_exporter.feldera.platform import Platform
from feldera_exporter.history.history import History
from feldera_exporter.history.instance_totals import InstanceTotals, label
from feldera_exporter.state.instance_settings import InstanceSettings
from feldera_exporter.state.pipeline import Pipeline
from feldera_exporter.state.runner_activity import initial_activity, updated_activity
from feldera_exporter.state.selection import Selection

_NOBODY: Final[Mapping[str, Pipeline]] = MappingProxyType({})
_NONE: Final[Mapping[str, int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PublishedCounters:
    """What may be published; instants in microseconds by Feldera's clock.

    Attributes:
        histories: by pipeline id.
        totals: of the instance.
        as_of: up to when present statuses are credited.
        credited: that instant for the pipelines where it is another one, by id.
    """

    histories: Mapping[str, History]
    totals: InstanceTotals
    as_of: int
    credited: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is shown of one instance; instants in microseconds since the epoch, by Feldera's clock.

    Attributes:
        instance: its name in the configuration.
        up: whether one of the last polls of the list succeeded; None before the first ended.
        size: how many pipelines are shown; None while that is not known.
        pipelines: those that are shown, by id.
        platform: what Feldera says of itself.
        totals: what the pipelines did together.
        as_of: up to when present statuses are credited.
        credited: the instants of the pipelines whose present status is credited up to another one, by id.
        lost: ids of pipelines whose element of the list cannot be read, with the instant of the first that could not.
        unreadable: what to call all such pipelines; those without a known name among them.
        read_at: when the list was last read.
        selection: what `pipelines` was made of, with `histories`: as long as both are the same, so is it.
        histories: see `selection`.
    """

    instance: str
    up: bool | None = None
    size: int | None = None
    pipelines: Mapping[str, Pipeline] = field(default_factory=lambda: _NOBODY)
    platform: Platform = field(default_factory=Platform)
    totals: InstanceTotals = field(default_factory=InstanceTotals)
    as_of: int = 0
    credited: Mapping[str, int] = field(default_factory=lambda: _NONE)
    lost: Mapping[str, int] = field(default_factory=lambda: _NONE)
    unreadable: tuple[str, ...] = ()
    read_at: int = 0
    selection: Selection | None = None
    histories: Mapping[str, History] | None = None


def observed(
    fleet: Fleet, selection: Selection, shown: PublishedCounters, policy: InstanceSettings, now: int
) -> Fleet:
    """Return the fleet after a list was read, or after more of the logs was.

    A pipeline that the list no longer has is gone with all its series. One whose element cannot be read stays as it
    was for as long as the policy's `staleness`, while its log is counted on, and then goes too.

    Args:
        fleet: the fleet before.
        selection: what the list says.
        shown: what may be published of what was counted; it has every pipeline that the policy includes.
        policy: how pipelines are shown.
        now: Feldera's time of the answer.
    """
    fleet = replace(
        fleet, up=True, totals=shown.totals, as_of=shown.as_of, credited=shown.credited, read_at=now
    )
    if fleet.selection is selection and fleet.histories is shown.histories and not fleet.lost:
        return fleet
    pipelines = _patched(fleet, selection, shown, policy, now)
    lost: Mapping[str, int] = _NONE
    if pipelines is None:
        pipelines = {
            key: _seen(fleet.pipelines.get(key), entry, history, shown.totals, policy, now)
            for key, history in shown.histories.items()
            if (entry := selection.listing.entries.get(key)) is not None
        }
        lost = _lost(fleet, selection, now)
        pipelines |= {
            key: _counted(fleet.pipelines[key], shown.histories[key])
            for key, since in lost.items()
            if now - since <= policy.staleness and key in fleet.pipelines and key in shown.histories
        }
    return replace(
        fleet,
        size=len(pipelines),
        pipelines=pipelines,
        lost=lost,
        unreadable=tuple(
            each.title
            for each in selection.listing.unreadable
            if each.name is None or policy.includes(each.name)
        ),
        selection=selection,
        histories=shown.histories,
    )


def _patched(
    fleet: Fleet, selection: Selection, shown: PublishedCounters, policy: InstanceSettings, now: int
) -> dict[str, Pipeline] | None:
    """Return the pipelines with what changed of them; None where others than before can be read, or not all of them."""
    if fleet.selection is None or fleet.histories is None or selection.listing.unreadable or fleet.lost:
        return None
    rows = changed_keys(fleet.selection.listing.entries, selection.listing.entries)
    histories = changed_keys(fleet.histories, shown.histories)
    if rows is None or histories is None:
        return None
    pipelines = dict(fleet.pipelines)
    for key in {*rows, *histories} & pipelines.keys():
        entry, history = selection.listing.entries[key], shown.histories[key]
        pipelines[key] = _seen(pipelines[key], entry, history, shown.totals, policy, now)
    return pipelines


def _lost(fleet: Fleet, selection: Selection, now: int) -> Mapping[str, int]:
    """Return the pipelines that were shown and cannot be read now, with the instant since when."""
    known = fleet.lost.keys() | fleet.pipelines.keys()
    return {
        key: fleet.lost.get(key, now)
        for each in selection.listing.unreadable
        if (key := each.id or "") not in selection.listing.entries and key in known
    }


def unobserved(fleet: Fleet, policy: InstanceSettings, now: int, *, up: bool = False) -> Fleet:
    """Return the fleet after a poll that failed: what was last seen is shown for as long as the policy says.

    Args:
        fleet: the fleet before.
        policy: how pipelines are shown.
        now: microseconds since the epoch by Feldera's clock.
        up: whether one of the last polls succeeded all the same.
    """
    if now - fleet.read_at <= policy.staleness:
        return replace(fleet, up=up)
    return replace(fleet, up=up, size=None, pipelines=_NOBODY, lost=_NONE, unreadable=(), selection=None)


def with_settings(fleet: Fleet, policy: InstanceSettings) -> Fleet:
    """Return the fleet as another policy shows it: after the configuration was loaded anew."""
    pipelines = {
        key: replace(pipeline, facts=policy.again(pipeline.facts))
        for key, pipeline in fleet.pipelines.items()
        if policy.includes(pipeline.facts.row.name)
    }
    size = None if fleet.size is None else len(pipelines)
    return replace(fleet, size=size, pipelines=pipelines, selection=None)


def _counted(pipeline: Pipeline, history: History) -> Pipeline:
    return pipeline if pipeline.history is history else replace(pipeline, history=history)


def _seen(
    old: Pipeline | None,
    entry: Entry,
    history: History,
    totals: InstanceTotals,
    policy: InstanceSettings,
    now: int,
) -> Pipeline:
    dated = history.since.storage is not None and history.since.storage > 0
    activity = old.activity if old is not None else initial_activity(now)
    if old is not None:
        if old.progress is not entry.progress:
            activity = updated_activity(activity, old.progress, entry.progress, now)
        if old.facts.row is entry.row and old.facts.storage_dated == dated:
            if old.progress is entry.progress and old.history is history:
                return old
            return Pipeline(old.facts, entry.progress, history, activity)
    error = entry.row.deployment_error
    code = label(totals, error.error_code) if error is not None else None
    return Pipeline(policy.facts(entry.row, code, storage_dated=dated), entry.progress, history, activity)
