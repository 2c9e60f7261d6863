"""What became of a pipeline whose name is gone is remembered, also if it went while Feldera did not answer."""

import pytest

from support.stepped_poller import Watching


def test_deleted_and_renamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name that was shown; of a pipeline that is still there nothing is said."""
    watching = Watching(monkeypatch)
    ids = {name: watching.feldera.create(name).id for name in ("stays", "goes", "moves")}
    watching.feldera.settle()
    watching.poll()
    watching.client.answers = False
    watching.poll(900, every=60)
    assert watching.watcher.fleet.failure is not None
    assert watching.watcher.fleet.last_known.keys() == set(ids.values())
    watching.feldera.delete("goes")
    watching.feldera.rename("moves", "moved")
    watching.client.answers = True
    watching.poll()
    fleet = watching.watcher.fleet
    former = {name: (each.pipeline_id, each.name) for name, each in fleet.former_names.items()}
    assert former == {"goes": (ids["goes"], ""), "moves": (ids["moves"], "moved")}
    assert (fleet.failure, fleet.stale_pipelines) == (None, {})
    watching.feldera.delete("stays")
    watching.poll()
    assert watching.watcher.fleet.former_names.keys() == {"goes", "moves", "stays"}
