"""Snapshots after a change of the exported families."""

import operator
import threading

from feldera_exporter.exposition.snapshot import Snapshot
from feldera_exporter.exposition.text import Format
from feldera_exporter.metrics.catalogue import catalogue
from feldera_exporter.problems.evaluate import NO_PROBLEMS, InstanceWithProblems
from feldera_exporter.publisher import Publisher
from feldera_exporter.state.fleet import Fleet
from feldera_exporter.telemetry import Telemetry

UP = b"# TYPE feldera_up gauge"


def test_each_snapshot_has_the_families_of_its_time() -> None:
    """Each snapshot keeps its families, whichever is rendered first, and a change waits for no rendering."""
    publisher = Publisher(Telemetry("1", "3"))
    publisher.arrange(["one"], catalogue())
    publisher.publish(InstanceWithProblems(Fleet("one"), NO_PROBLEMS), 0.0)
    before = publisher.snapshot
    with publisher._rendering:
        chosen = threading.Thread(
            target=publisher.arrange, args=(["one"], catalogue((), ("feldera_up",))), daemon=True
        )
        chosen.start()
        chosen.join(5)
        assert not chosen.is_alive()
    publisher.publish(InstanceWithProblems(Fleet("one"), NO_PROBLEMS), 0.0)
    after = publisher.snapshot

    def shows(snapshot: Snapshot) -> bool:
        return UP in b"".join(snapshot.body(Format.TEXT, packed=False))

    assert (shows(after), shows(before)) == (False, True)
    publisher.renew()
    assert not shows(publisher.snapshot)


def test_nothing_is_rendered_again_for_the_same_families() -> None:
    """A reload that leaves the tag labels and the excluded families as they are reuses what was rendered before it."""
    publisher = Publisher(Telemetry("1", "3"))

    def blocks() -> list[object]:
        publisher.arrange(["one"], catalogue(("team",), ("feldera_up",)))
        publisher.publish(InstanceWithProblems(Fleet("one"), NO_PROBLEMS), 0.0)
        snapshot = publisher.snapshot
        snapshot.body(Format.TEXT, packed=False)
        assert snapshot._content is not None
        return [block for section in snapshot._content.sections for block in section.blocks]

    before, after = blocks(), blocks()
    assert before
    assert all(map(operator.is_, before, after))
