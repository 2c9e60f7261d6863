"""From Feldera to the receiver: exactly the expected notifications, each once, each resolved when it is over."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import pytest

from alerting.chain import PROMETHEUS_ITSELF, Evaluator, Place, chain, vmalert
from alerting.incidents import LIMITS, PLACES, Scenario, Stage, hanging, scenarios
from support.notifications import REPEATED, News, Notebook
from support.rule_engines import newer

PATIENCE: Final = 600.0
"""Seconds within which all must have happened; far more than it takes."""

ROUNDS: Final = 5
"""Evaluations in which nothing more must happen: several of Alertmanager's group intervals."""


def play(stage: Stage, *tales: Scenario) -> None:
    """Let all scenarios go on side by side, each as soon as what it waits for is so."""
    waiting = {scenario: next(scenario) for scenario in tales}
    deadline = time.monotonic() + PATIENCE
    while waiting:
        for scenario, condition in tuple(waiting.items()):
            if condition():
                try:
                    waiting[scenario] = next(scenario)
                except StopIteration:
                    del waiting[scenario]
        missing = {*stage.expected}.difference(stage.chain.notebook.news)
        assert time.monotonic() < deadline, (
            f"{len(waiting)} scenarios still wait; not told: {sorted(missing)}"
        )
        time.sleep(0.2)


def kills(stage: Stage) -> Scenario:
    """Kill the exporters in the middle of everything, stop Alertmanager, kill what evaluates; all come back on their data."""
    running = stage.chain
    began = time.time()
    yield lambda: stage.open <= 1  # all but the outage, of which nobody is told at once
    for exporter in running.exporters.values():
        exporter.kill()
        exporter.start()
    yield lambda: running.ready() and running.scraped(began)
    yield rounds(stage)
    stage.exporters_back = True
    # What ends while both Alertmanager and what evaluates are away is never resolved.
    yield lambda: stage.passing == 0
    running.alertmanager.stop()
    stage.alertmanager_away = True
    yield lambda: stage.ended_meanwhile
    yield rounds(stage)
    running.alertmanager.start()
    yield running.ready
    yield lambda: stage.open == 0 and stage.told_later
    running.evaluator.kill()
    running.evaluator.start()
    yield lambda: running.ready() and running.rounds() >= ROUNDS
    stage.evaluator_back = True


def rounds(stage: Stage) -> Callable[[], bool]:
    """Return what tells whether the rules have been evaluated several times from now on."""
    before = stage.chain.rounds()
    return lambda: stage.chain.rounds() >= before + ROUNDS


def calm(stage: Stage) -> Scenario:
    """See that nothing more comes."""
    yield rounds(stage)
    yield lambda: stage.chain.active() == set()
    yield rounds(stage)


def evaluators() -> tuple[Evaluator, ...]:
    """Return what there is to evaluate rules; Prometheus always."""
    program = newer("vmalert")
    return (PROMETHEUS_ITSELF, vmalert(program)) if program else (PROMETHEUS_ITSELF,)


@pytest.mark.parametrize("evaluator", evaluators(), ids=lambda evaluator: evaluator.name)
def test_incidents(evaluator: Evaluator, tmp_path: Path) -> None:
    """Whatever happens, and whatever is killed meanwhile, the receivers hear what they must, once, and no more."""
    places = {name: Place() for name in PLACES}
    with chain(tmp_path, places, LIMITS, evaluator) as running:
        stage = Stage(running)
        play(stage, ready(stage))
        play(stage, *scenarios(stage), kills(stage))
        play(stage, hanging(stage))
        play(stage, calm(stage))
        # The watchdog tells again each five minutes, which a slow run may see.
        again = News("deadman", "FelderaWatchdog", "", "", REPEATED)
        heard = [news for news in running.notebook.news if news != again]
    assert sorted(heard) == sorted(stage.expected)
    assert not any("Traceback" in exporter.log.read_text() for exporter in running.exporters.values())


def ready(stage: Stage) -> Scenario:
    """Wait until all programs are ready and both exporters have been scraped."""
    yield stage.chain.ready
    yield lambda: stage.chain.scraped(0)


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


def test_news_are_what_changed() -> None:
    """A group that tells of an old alert beside a new one has one piece of news; one that tells nothing new is noted."""
    notebook = Notebook()
    notebook.take("/pager", notification(("x", "firing")))
    notebook.take("/pager", notification(("x", "firing"), ("y", "firing")))
    notebook.take("/pager", notification(("x", "resolved"), ("y", "firing")))
    notebook.take("/pager", notification(("y", "firing")))
    notebook.take("/tickets", notification(("y", "firing")))
    assert [(news.receiver, news.pipeline, news.status) for news in notebook.news] == [
        ("pager", "x", "firing"),
        ("pager", "y", "firing"),
        ("pager", "x", "resolved"),
        ("pager", "y", REPEATED),
        ("tickets", "y", "firing"),
    ]
