"""A week of a healthy fleet whose users start, stop, pause, edit and recompile: nobody must be told anything."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from feldera_exporter.store.store import Store
from rules.promtool import document
from rules.real import Sight
from rules.scenarios import Scenario
from rules.users import Users
from rules.world import exporter
from tools import THOROUGH

DAY: Final = 86_400
STEP: Final = 180
"""Seconds between evaluations: the longest that the rules read over."""

SEED: Final = 7


@dataclass(frozen=True)
class Span:
    """How much of a week is lived.

    Attributes:
        days: how many.
        users: how many pipelines, each with a user.
    """

    days: int
    users: int

    @property
    def end(self) -> int:
        """The last second."""
        return self.days * DAY


SHORT: Final = Span(2 if THOROUGH else 1, 8)
WHOLE: Final = Span(7, 24)


def week(span: Span, rules: Path, folder: Path) -> str:
    """Return a test file of promtool's: the exporter's real middle watches, and what befalls a healthy exporter does.

    Each day a scrape is missed. On the last one the exporter is started again, and its Feldera fails for a minute.

    Args:
        span: how much.
        rules: the rule file.
        folder: of the exporter's store.
    """
    missed = [(day * DAY + 40 * STEP, day * DAY + 41 * STEP) for day in range(span.days)]
    restart, blip = span.end - 300 * STEP, span.end - 200 * STEP
    store = Store.open(folder)
    try:
        view = Sight(partial(Users, seed=SEED, size=span.users), store, restart)
        watched = exporter(view, down=missed, restart=restart, outage=(blip - 45, blip + 15))
        scenario = Scenario("a healthy week", (watched,), {span.end: ()})
        world, _, _ = document(str(rules), (scenario,), step=STEP).partition("    promql_expr_test:\n")
    finally:
        store.close()
    return world + _QUESTIONS.format(
        end=span.end, rounds=span.end // STEP + 1, changes=4 * span.days * span.users
    )


_QUESTIONS: Final = """\
    promql_expr_test:
      - expr: count by (alertname) (max_over_time(ALERTS{{severity=~"critical|warning"}}[8d]))
        eval_time: {end}s
        exp_samples: []
      - expr: count_over_time(ALERTS{{alertname="FelderaWatchdog"}}[8d])
        eval_time: {end}s
        exp_samples:
          - {{value: {rounds}, labels: '{{alertname="FelderaWatchdog", alertstate="firing", severity="none"}}'}}
      - expr: sum(increase(feldera_pipeline_deployment_resources_status_transitions_total[8d])) > bool {changes}
        eval_time: {end}s
        exp_samples: [{{value: 1}}]
      - expr: sum(increase(feldera_pipeline_program_status_transitions_total[8d])) > bool {changes}
        eval_time: {end}s
        exp_samples: [{{value: 1}}]
      - expr: sum(max_over_time(feldera_pipeline_connector_errors_total[8d])) > bool 0
        eval_time: {end}s
        exp_samples: [{{value: 1}}]
      - expr: max(feldera_license_valid) * count(feldera_cluster_service_healthy == 1)
        eval_time: {end}s
        exp_samples: [{{value: 3}}]
"""
"""Nothing that anybody would be told of; the rules did run, and the users and the exporter did something."""
