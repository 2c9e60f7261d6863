"""Renamed and deleted pipelines are remembered by their former names, also over an outage."""

import pytest

from support.stepped_poller import SteppedPoller


def test_deleted_and_renamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A former name is that of a deleted or renamed pipeline; an existing one has none."""
    poller = SteppedPoller(monkeypatch)
    ids = {name: poller.feldera.create(name).id for name in ("stays", "goes", "moves")}
    poller.feldera.settle()
    poller.poll()
    poller.client.answers = False
    poller.poll(900, every=60)
    assert poller.watcher.fleet.failure is not None
    assert poller.watcher.fleet.last_known.keys() == set(ids.values())
    poller.feldera.delete("goes")
    poller.feldera.rename("moves", "moved")
    poller.client.answers = True
    poller.poll()
    fleet = poller.watcher.fleet
    former = {name: (each.pipeline_id, each.name) for name, each in fleet.former_names.items()}
    assert former == {"goes": (ids["goes"], ""), "moves": (ids["moves"], "moved")}
    assert (fleet.failure, fleet.stale_pipelines) == (None, {})
    poller.feldera.delete("stays")
    poller.poll()
    assert poller.watcher.fleet.former_names.keys() == {"goes", "moves", "stays"}
