"""The last known state of pipelines that the metrics no longer show, for the pages."""

from dataclasses import replace

from feldera_exporter.config import Configuration, Instance
from feldera_exporter.state.fleet import Fleet, PollFailure, unobserved, with_failure, with_settings
from feldera_exporter.state.instance_settings import InstanceSettings
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
