"""Former names of renamed and deleted pipelines are remembered over an outage, a restart and a kill."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from feldera_exporter.errors import StoreError
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.server import FelderaServer
from feldera_exporter.store.store import Store
from support import loopback
from support.plans import INSTANT
from support.stepped_poller import SteppedPoller
from support.two_instances import now, until
from system.test_exactness import ExporterProgram


@pytest.fixture(params=[False, True], ids=["without a store", "with a store"])
def poller(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[SteppedPoller]:
    """Return an exporter that has polled three pipelines, without and with a store."""
    one = SteppedPoller(monkeypatch, tmp_path if request.param else None)
    for name in ("stays", "goes", "moves"):
        one.feldera.create(name)
    one.feldera.settle()
    one.poll()
    yield one
    one.close()


def names(poller: SteppedPoller) -> tuple[set[str], set[str]]:
    """Return the present names and the former names."""
    known = poller.watcher.fleet.names
    present, gone = (
        {name.name for name, at in known.items() if (at is None) is is_present}
        for is_present in (True, False)
    )
    return present, gone


def change(poller: SteppedPoller) -> None:
    """Delete one pipeline and rename another."""
    poller.feldera.delete("goes")
    poller.feldera.rename("moves", "moved")


def test_over_an_outage(poller: SteppedPoller) -> None:
    """The names that were shown last become former names."""
    poller.client.answers = False
    poller.poll(900, every=60)
    assert poller.watcher.fleet.failure is not None
    assert len(poller.watcher.fleet.last_known) == 3
    change(poller)
    poller.client.answers = True
    poller.poll()
    assert names(poller) == ({"stays", "moved"}, {"goes", "moves"})
    fleet = poller.watcher.fleet
    assert (fleet.failure, fleet.stale_pipelines) == (None, {})
    poller.feldera.delete("stays")
    poller.poll()
    assert names(poller) == ({"moved"}, {"goes", "moves", "stays"})


@pytest.mark.parametrize("poller", [True], indirect=True)
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_over_a_restart(poller: SteppedPoller, when: str) -> None:
    """A restart keeps former names and their times, and detects what changed while the exporter was not running."""
    if when == "meanwhile":
        poller.restart()
        change(poller)
    else:
        change(poller)
        poller.poll()
        poller.restart()
    before = dict(poller.watcher.fleet.names)
    poller.poll(60)
    assert names(poller) == ({"stays", "moved"}, {"goes", "moves"})
    if when == "before":
        assert poller.watcher.fleet.names == before
    now = dict(poller.watcher.fleet.names)
    poller.restart()
    assert poller.watcher.fleet.names == now


@pytest.mark.parametrize("poller", [True], indirect=True)
def test_a_failed_write_is_made_up_for(poller: SteppedPoller, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next poll writes the names although nothing changed again; the failure is counted."""

    def fail(*_: object) -> None:
        raise StoreError("state.sqlite3: cannot be written: database or disk is full")

    change(poller)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "commit", fail)
        poller.poll()
    assert poller.shown("feldera_exporter_store_errors_total")[""] >= 1
    poller.poll()
    poller.restart()
    assert names(poller) == ({"stays", "moved"}, {"goes", "moves"})


def test_the_page_says_it_after_a_kill(tmp_path: Path) -> None:
    """A pipeline's page says that it was renamed or deleted, also if that happened while the exporter was dead."""
    instance = Feldera(now(), plan=INSTANT)
    for name in ("stays", "goes", "moves", "later"):
        instance.create(name)
    instance.settle()
    with serve(FelderaServer(instance)) as url:
        program = ExporterProgram(url, tmp_path)

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
