"""What is known of an instance's earlier lists after a reload of the configuration."""

from typing import Any

import pytest

from feldera_exporter.config.schema import Filter
from feldera_exporter.config.validators import expression
from support.plans import INSTANT
from support.stepped_poller import SteppedPoller

DROPPED = 'problem="PipelineInventoryDropped"'
KEPT = 3
"""How many pipelines are left, of twelve."""


def is_dropped(poller: SteppedPoller) -> bool:
    """Return whether the drop of the number of pipelines is a problem that is present."""
    shown = poller.shown("feldera_instance_problem_since_timestamp_seconds")
    return any(value for labels, value in shown.items() if DROPPED in labels)


@pytest.mark.parametrize(
    ("settings", "deleted", "expected"),
    [
        ({"pipelines": Filter(include=(expression("stays.*"),))}, False, False),
        ({"url": "http://another.invalid"}, True, False),
        ({"poll_interval": 7.0}, True, True),
    ],
    ids=["another filter", "another URL", "the same list"],
)
def test_fewer_pipelines_after_a_reload(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], *, deleted: bool, expected: bool
) -> None:
    """Fewer pipelines are a problem, except where the reload itself changed which ones are listed."""
    poller = SteppedPoller(monkeypatch)
    for number in range(12):
        poller.feldera.create(f"stays{number}" if number < KEPT else f"goes{number}", plan=INSTANT)
    poller.poll(60)
    for number in range(KEPT, 12 if deleted else KEPT):
        poller.feldera.delete(f"goes{number}")
    poller.reload(**settings)
    poller.poll(900, every=60)
    assert poller.watcher.fleet.size == KEPT
    assert is_dropped(poller) == expected
