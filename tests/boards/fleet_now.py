"""What needs somebody now: the first row of the fleet's board."""

from typing import Final

from boards.board import Place
from boards.colours import BAD, GOOD, IDLE, NEEDS_PERSON
from boards.panels import FINE, Json, Look, Query, stat
from boards.queries import (
    alerts,
    amount,
    chosen,
    failing,
    instance,
    of_kind,
    present,
    stuck,
)
from boards.shared import DATA_AGE, firing
from boards.trouble import trouble
from feldera_exporter.feldera.vocabulary import DEPLOYMENT, DEPLOYMENT_DESIRED, Kind

_ANY_IS_BAD: Final = ((None, GOOD), (1.0, BAD))
_ANY_NEEDS_SOMEBODY: Final = ((None, GOOD), (1.0, NEEDS_PERSON))


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


def _shade(name: str, thresholds: tuple[tuple[float | None, str], ...]) -> Json:
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
                    Query(amount(chosen(present(DEPLOYMENT, matcher))), "running"),
                    Query(amount(chosen(present(DEPLOYMENT_DESIRED, matcher))), "meant to"),
                ),
                Look(thresholds=FINE),
            ),
            5, 4,
        ),
        Place(
            stat(
                "Failed",
                "Pipelines with a deployment error, which stays until it is dismissed or the pipeline is started.",
                (Query(amount(chosen(failing())), "failed"),),
                Look(thresholds=_ANY_IS_BAD),
            ),
            3, 4,
        ),
        Place(
            stat(
                "Stuck",
                "Pipelines in which a status has outlasted its limit: deployment, compilation, storage, or the difference to "
                "what is desired.",
                (Query(amount(chosen(stuck())), "stuck"),),
                Look(thresholds=_ANY_IS_BAD),
            ),
            3, 4,
        ),
        Place(
            stat(
                "Need a person",
                "Pipelines that wait for somebody's approval.",
                (Query(amount(chosen(of_kind(DEPLOYMENT, Kind.NEEDS_PERSON))), "waiting"),),
                Look(thresholds=_ANY_NEEDS_SOMEBODY),
            ),
            3, 4,
        ),
        Place(
            stat(
                "Data age",
                "How long ago Feldera last answered a poll. After 75 seconds nothing on this board is certain.",
                (Query(f"time() - {instance('feldera_exporter_last_successful_poll_timestamp_seconds')}", "{{feldera_instance}}"),),
                Look(unit="s", thresholds=DATA_AGE, decimals=0),
            ),
            4, 4,
        ),
        Place(trouble(), 24, 11),
        firing(),
    )  # fmt: skip
