"""What became of a pipeline whose name is gone is remembered: over an outage, a restart, and a kill."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from feldera_exporter.errors import StoreError
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.plan import INSTANT
from feldera_exporter.simulator.server import FelderaServer
from feldera_exporter.simulator.serving import serve
from feldera_exporter.store.store import Store
from support import loopback
from support.stepped_poller import Watching
from support.two_instances import now, until
from system.test_exactness import Program


@pytest.fixture(params=[False, True], ids=["without a store", "with a store"])
def watching(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Watching]:
    """An exporter of three pipelines."""
    one = Watching(monkeypatch, tmp_path if request.param else None)
    for name in ("stays", "goes", "moves"):
        one.feldera.create(name)
    one.feldera.settle()
    one.poll()
    yield one
    one.close()


def names(watching: Watching) -> tuple[set[str], set[str]]:
    """Return the present names, and those that are gone."""
    known = watching.watcher.fleet.names
    present, gone = (
        {name.name for name, at in known.items() if (at is None) is is_present}
        for is_present in (True, False)
    )
    return present, gone


def change(watching: Watching) -> None:
    """Delete one and rename another."""
    watching.feldera.delete("goes")
    watching.feldera.rename("moves", "moved")


def test_over_an_outage(watching: Watching) -> None:
    """The names that were shown last are those that are gone."""
    watching.client.answers = False
    watching.poll(900, every=60)
    assert watching.watcher.fleet.failure is not None
    assert len(watching.watcher.fleet.last_known) == 3
    change(watching)
    watching.client.answers = True
    watching.poll()
    assert names(watching) == ({"stays", "moved"}, {"goes", "moves"})
    fleet = watching.watcher.fleet
    assert (fleet.failure, fleet.stale_pipelines) == (None, {})
    watching.feldera.delete("stays")
    watching.poll()
    assert names(watching) == ({"moved"}, {"goes", "moves", "stays"})


@pytest.mark.parametrize("watching", [True], indirect=True)
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_over_a_restart(watching: Watching, when: str) -> None:
    """Whether they went before the exporter ended or while it was away; with the time when that was seen first."""
    if when == "meanwhile":
        watching.restart()
        change(watching)
    else:
        change(watching)
        watching.poll()
        watching.restart()
    before = dict(watching.watcher.fleet.names)
    watching.poll(60)
    assert names(watching) == ({"stays", "moved"}, {"goes", "moves"})
    if when == "before":
        assert watching.watcher.fleet.names == before
    now = dict(watching.watcher.fleet.names)
    watching.restart()
    assert watching.watcher.fleet.names == now


@pytest.mark.parametrize("watching", [True], indirect=True)
def test_a_failed_write_is_made_up_for(watching: Watching, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the next poll, though nothing changed again; the failure is counted."""

    def fail(*_: object) -> None:
        raise StoreError("state.sqlite3: cannot be written: database or disk is full")

    change(watching)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "keep_names", fail)
        watching.poll()
    assert watching.shown("feldera_exporter_store_errors_total") == {"": 1}
    watching.poll()
    watching.restart()
    assert names(watching) == ({"stays", "moved"}, {"goes", "moves"})


def test_the_page_says_it_after_a_kill(tmp_path: Path) -> None:
    """Of the real program, before and after its first poll."""
    instance = Feldera(now(), plan=INSTANT)
    for name in ("stays", "goes", "moves", "later"):
        instance.create(name)
    instance.settle()
    with serve(FelderaServer(instance)) as url:
        program = Program(url, tmp_path)

        def said(name: str, text: str) -> bool:
            answer = loopback.get(f"{program.address}/pipelines/default/{name}", timeout=5)
            return answer.status_code == 404 and text in answer.text

        program.start()
        try:
            until(lambda: loopback.get(f"{program.address}/pipelines/default/goes").is_success)
            instance.delete("goes")
            instance.rename("moves", "moved")
            until(lambda: said("moves", "moves was renamed"))
            program.kill()
            instance.delete("later")
            program.start()
            until(lambda: said("later", "later was deleted"))
            assert said("goes", "goes was deleted")
            assert said("moves", "It is called moved since")
            assert said("never", "none is known that had it")
        finally:
            program.kill()
