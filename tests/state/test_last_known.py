"""The last known state of pipelines that the metrics no longer show, for the pages."""

from dataclasses import replace

from feldera_exporter.config import Configuration, Instance
from feldera_exporter.config.schema import Filter
from feldera_exporter.config.validators import expression
from feldera_exporter.feldera.pipeline_list import Listing, Unreadable
from feldera_exporter.state.fleet import (
    Fleet,
    PollFailure,
    PublishedCounters,
    observed,
    unobserved,
    with_failure,
    with_settings,
)
from feldera_exporter.state.instance_settings import InstanceSettings
from feldera_exporter.state.selection import Selection
from feldera_exporter.store.poll_changes import PipelineName
from support.fleets import NOW, pipeline

_INSTANCE = Instance("demo", "http://127.0.0.1:1")
POLICY = InstanceSettings(Configuration((_INSTANCE,)), _INSTANCE)
LATER = NOW + POLICY.staleness + 1


def test_stale_pipelines_stay_known() -> None:
    """Pipelines stay known however many polls fail, and after a reload."""
    known = {"id-a": pipeline("a")}
    fleet = unobserved(Fleet("demo", up=True, pipelines=known, read_at=NOW), POLICY, LATER)
    assert (fleet.pipelines, fleet.last_known) == ({}, known)
    again = with_settings(unobserved(fleet, POLICY, LATER + 1), POLICY)
    assert again.last_known == known


def test_a_failure_begins_with_the_first_poll_that_failed() -> None:
    """A failure keeps the beginning of its first poll."""
    fleet = with_failure(Fleet("demo"), "timeout", "no answer", NOW)
    assert fleet.failure == PollFailure("timeout", "no answer", NOW)
    assert with_failure(fleet, "unauthorized", "401", LATER).failure == PollFailure(
        "unauthorized", "401", NOW
    )
    assert replace(fleet, failure=None).failure is None


def test_what_cannot_be_read_is_known_by_its_id() -> None:
    """A pipeline is lost if its id had a name before, and if the configuration still includes that name."""
    only_a = replace(_INSTANCE, pipelines=Filter(include=(expression("a"),)))
    settings = InstanceSettings(Configuration((only_a,)), only_a)
    names = {PipelineName("1", "a"): None, PipelineName("2", "b"): None, PipelineName("3", "a"): NOW}
    hidden = tuple(Unreadable(each, None, "a test", identified=False) for each in "1234")
    fleet = Fleet("demo", names=names, lost={"2": NOW})
    shown = PublishedCounters(as_of=NOW)
    fleet = observed(fleet, Selection(Listing(unreadable=hidden)), shown, settings, LATER)
    assert fleet.lost == {"1": LATER}
