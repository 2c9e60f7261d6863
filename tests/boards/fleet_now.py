"""What needs somebody now: the first row of the fleet's board."""

from typing import Final

from boards.alerting import alerts
from boards.board import Place
from boards.colours import BAD, GOOD, IDLE, NEEDS_PERSON
from boards.needs import failed, stuck, waiting
from boards.panels import Json, Look, Query, Thresholds, known, stat
from boards.queries import amount, heard, present
from boards.shared import DATA_AGE, firing
from boards.trouble import trouble
from feldera_exporter.feldera.vocabulary import DEPLOYMENT, DEPLOYMENT_DESIRED

_ANY_IS_BAD: Final = known(GOOD, (1.0, BAD))
_ANY_NEEDS_SOMEBODY: Final = known(GOOD, (1.0, NEEDS_PERSON))
_UNSEEN: Final = "unknown"
"""Shown in place of 0 where no instance answers."""


def _alerts() -> Json:
    # The watchdog always fires: 0 only where the rules are loaded.
    loaded = 'or 0 * max(ALERTS{alertname="FelderaWatchdog", alertstate="firing"})'
    return stat(
        "Firing alerts",
        "Alerts of the shipped rules that fire at present, by severity.",
        [
            Query(f"count({alerts(severity)})\n{loaded}", severity)
            for severity in ("critical", "warning", "info")
        ],
        Look(
            thresholds=_ANY_NEEDS_SOMEBODY,
            no_value="no rules",
            overrides=[
                _shade("critical", _ANY_IS_BAD),
                _shade("info", ((None, IDLE),)),
            ],
        ),
    )


def _shade(name: str, thresholds: Thresholds) -> Json:
    steps = [{"value": value, "color": colour} for value, colour in thresholds]
    value = {"mode": "absolute", "steps": steps}
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": "thresholds", "value": value}],
    }


def now() -> tuple[Place, ...]:
    """Return the row."""
    running = 'status="Running"'
    matcher = f", {running}"
    return (
        Place(_alerts(), 6, 4),
        Place(
            stat(
                "Running",
                "Pipelines that run, and that are meant to.",
                (
                    Query(amount(present(DEPLOYMENT, matcher)), "running"),
                    Query(amount(present(DEPLOYMENT_DESIRED, matcher)), "meant to"),
                ),
                Look(thresholds=known(GOOD), no_value=_UNSEEN),
            ),
            5, 4,
        ),
        Place(
            stat(
                "Failed",
                "Pipelines with a deployment error, which stays until it is dismissed or the pipeline is started.",
                (Query(amount(failed()), "failed"),),
                Look(thresholds=_ANY_IS_BAD, no_value=_UNSEEN),
            ),
            3, 4,
        ),
        Place(
            stat(
                "Stuck",
                "Pipelines in which a status has outlasted its limit: deployment, compilation, storage, or the difference to "
                "what is desired.",
                (Query(amount(stuck()), "stuck"),),
                Look(thresholds=_ANY_IS_BAD, no_value=_UNSEEN),
            ),
            3, 4,
        ),
        Place(
            stat(
                "Need a person",
                "Pipelines that wait for somebody's approval.",
                (Query(amount(waiting()), "waiting"),),
                Look(thresholds=_ANY_NEEDS_SOMEBODY, no_value=_UNSEEN),
            ),
            3, 4,
        ),
        Place(
            stat(
                "Data age",
                "How long ago Feldera last answered a poll, of several shards the one that has waited longest. After 75 seconds nothing on this board is certain.",
                (Query(f"time() - {heard()}", "{{feldera_instance}}"),),
                Look(unit="s", thresholds=DATA_AGE, decimals=0),
            ),
            4, 4,
        ),
        Place(trouble(), 24, 11),
        firing(),
    )  # fmt: skip
