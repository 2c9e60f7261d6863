"""What is wrong now: the first row of the fleet's board."""

from dashboards import problems
from dashboards.board import Place
from dashboards.colours import GOOD
from dashboards.panels import Look, Query, known, stat
from dashboards.queries import HEARD, amount, present
from dashboards.shared import DATA_AGE
from feldera_exporter.feldera.statuses import DEPLOYMENT, DEPLOYMENT_DESIRED


def now() -> tuple[Place, ...]:
    """Return the row."""
    running = ', status="Running"'
    return (
        Place(problems.counted(), 5, 5),
        Place(
            stat(
                "Running",
                "Pipelines that run, and that are meant to.",
                (
                    Query(amount(present(DEPLOYMENT, running)), "running"),
                    Query(amount(present(DEPLOYMENT_DESIRED, running)), "meant to"),
                ),
                Look(thresholds=known(GOOD), no_value="unknown"),
            ),
            4, 5,
        ),
        Place(
            stat(
                "Data age",
                "How long ago Feldera last answered a poll. After 75 seconds nothing on this board is certain.",
                (Query(f"time() - {HEARD}", "{{feldera_instance}}"),),
                Look(unit="s", thresholds=DATA_AGE, decimals=0),
            ),
            4, 5,
        ),
        problems.of_instances(11, 5),
        problems.of_pipelines(),
    )  # fmt: skip
