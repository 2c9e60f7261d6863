"""From Feldera to the receiver: exactly the expected notifications come, and each is resolved when it is over."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import pytest

from alerting.chain import PROMETHEUS_ITSELF, FelderaWithReplicas, RuleEvaluator, chain, vmalert
from alerting.incidents import INSTANCES, LIMITS, Scenario, ScenarioState, hanging, scenarios
from support.notifications import REPEATED, AlertChange, NotificationRecord
from support.rule_engines import newer

PATIENCE: Final = 600.0
"""Seconds within which all must have happened; far more than it takes."""

ROUNDS: Final = 3
"""Evaluations in which nothing more must happen: several of Alertmanager's group intervals."""


def play(state: ScenarioState, *scenarios_: Scenario) -> None:
    """Run all scenarios side by side; each goes on as soon as its condition holds."""
    waiting = {scenario: next(scenario) for scenario in scenarios_}
    deadline = time.monotonic() + PATIENCE
    while waiting:
        for scenario, condition in tuple(waiting.items()):
            if condition():
                try:
                    waiting[scenario] = next(scenario)
                except StopIteration:
                    del waiting[scenario]
        missing = {*state.expected}.difference(state.chain.record.changes)
        assert time.monotonic() < deadline, (
            f"{len(waiting)} scenarios still wait; not notified: {sorted(missing)}"
        )
        time.sleep(0.5)


def kills(state: ScenarioState) -> Scenario:
    """Kill the exporters in the middle of everything, stop Alertmanager, kill what evaluates; all come back on their data."""
    running = state.chain
    began = time.time()
    yield lambda: state.open <= 1  # all but the outage, which is not notified at once
    for exporter in running.exporters.values():
        exporter.kill()
        exporter.start()
    yield lambda: running.ready() and running.scraped(began)
    yield rounds(state)
    state.exporters_back = True
    # What ends while both Alertmanager and what evaluates are away is never resolved.
    yield lambda: state.passing == 0
    running.alertmanager.stop()
    state.alertmanager_away = True
    yield lambda: state.ended_meanwhile
    yield rounds(state)
    running.alertmanager.start()
    yield running.ready
    yield lambda: state.open == 0 and state.notified_later
    running.evaluator.kill()
    running.evaluator.start()
    yield lambda: running.ready() and running.rounds() >= ROUNDS
    state.evaluator_back = True


def rounds(state: ScenarioState) -> Callable[[], bool]:
    """Return a condition that holds once the rules have been evaluated several times from now on."""
    before = state.chain.rounds()
    return lambda: state.chain.rounds() >= before + ROUNDS


def calm(state: ScenarioState) -> Scenario:
    """Check that no more notifications come."""
    yield rounds(state)
    yield lambda: state.chain.active() == set()
    yield rounds(state)


def evaluators() -> tuple[RuleEvaluator, ...]:
    """Return what there is to evaluate rules; Prometheus always."""
    program = newer("vmalert")
    return (PROMETHEUS_ITSELF, vmalert(program)) if program else (PROMETHEUS_ITSELF,)


@pytest.mark.parametrize("evaluator", evaluators(), ids=lambda evaluator: evaluator.name)
def test_incidents(evaluator: RuleEvaluator, tmp_path: Path) -> None:
    """The receivers get each expected notification once and no other, although every program is killed in turn."""
    instances = {name: FelderaWithReplicas() for name in INSTANCES}
    with chain(tmp_path, instances, LIMITS, evaluator) as running:
        state = ScenarioState(running)
        play(state, ready(state))
        play(state, *scenarios(state), kills(state))
        play(state, hanging(state))
        play(state, calm(state))
        # The watchdog notifies again each five minutes, which a slow run may see.
        repetition = AlertChange("deadman", "FelderaWatchdog", "", "", REPEATED)
        received = [change for change in running.record.changes if change != repetition]
    assert sorted(received) == sorted(state.expected)
    assert not any("Traceback" in exporter.log.read_text() for exporter in running.exporters.values())


def ready(state: ScenarioState) -> Scenario:
    """Wait until all programs are ready and both exporters have been scraped."""
    yield state.chain.ready
    yield lambda: state.chain.scraped(0)


def notification(*alerts: tuple[str, str]) -> bytes:
    """Return the body of a webhook about alerts, each by the pipeline and the status."""
    return msgspec.json.encode(
        {
            "alerts": [
                {
                    "status": status,
                    "fingerprint": pipeline,
                    "labels": {"alertname": "A", "feldera_instance": "prod", "pipeline_name": pipeline},
                }
                for pipeline, status in alerts
            ]
        }
    )


def test_only_changes_are_recorded() -> None:
    """An old alert beside a new one is no change; a notification without a change is recorded as repeated."""
    record = NotificationRecord()
    record.take("/pager", notification(("x", "firing")))
    record.take("/pager", notification(("x", "firing"), ("y", "firing")))
    record.take("/pager", notification(("x", "resolved"), ("y", "firing")))
    record.take("/pager", notification(("y", "firing")))
    record.take("/tickets", notification(("y", "firing")))
    assert [(change.receiver, change.pipeline, change.status) for change in record.changes] == [
        ("pager", "x", "firing"),
        ("pager", "y", "firing"),
        ("pager", "x", "resolved"),
        ("pager", "y", REPEATED),
        ("tickets", "y", "firing"),
    ]
