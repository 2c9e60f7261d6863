"""The stand-in simulates days, and ten thousand pipelines."""

import asyncio
import json

from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.random_workload import RandomWorkload
from feldera_exporter.simulator.server import FelderaServer
from support.asgi_requests import answered
from support.clocks import ManualClock
from support.ground_truth import RecordedFeldera
from support.tools import example_count

MANY = example_count(10_000)


def test_many_minutes_of_a_thousand_pipelines() -> None:
    """Twenty minutes of a thousand pipelines have thousands of transitions."""
    clock = ManualClock()
    feldera = RecordedFeldera(clock, 1)
    RandomWorkload(feldera, 1, size=1000, rate=2)
    clock.advance(1200)
    feldera.settle()
    assert sum(len(life.transitions) for life in feldera.truth.lives.values()) > 6000


def test_very_many_pipelines() -> None:
    """All pipelines are listed."""
    clock = ManualClock()
    feldera = Feldera(clock, 2)
    RandomWorkload(feldera, 2, size=MANY, rate=20)
    clock.advance(10)

    _, body = asyncio.run(answered(FelderaServer(feldera), "/v0/pipelines?selector=status"))
    assert abs(len(json.loads(body)) - MANY) < 100


def test_logs_are_bounded() -> None:
    """After half a day of changing details, a log has about the retention's length."""
    clock = ManualClock()
    feldera = Feldera(clock, 3)
    for number in range(3):
        feldera.create(f"p{number}")
        feldera.later(60, feldera.start, f"p{number}")
    feldera.later(120, feldera.inject.connector_errors, "p0", 0, 1.0)
    for _ in range(12):
        clock.advance(3600)
        feldera.settle()
    sizes = [len(pipeline.log) for pipeline in feldera.pipelines()]
    assert 720 <= sizes[0] <= 724
    assert 72 <= sizes[1] <= 94
