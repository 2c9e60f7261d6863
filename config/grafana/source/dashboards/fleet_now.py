"""The present problems: the first row of the fleet's dashboard."""

from dashboards import problems
from dashboards.board import SizedPanel
from dashboards.colours import GOOD
from dashboards.panels import Display, Query, known, stat
from dashboards.queries import LAST_POLL, amount, present
from dashboards.shared import DATA_AGE
from feldera_exporter.feldera.statuses import DEPLOYMENT, DEPLOYMENT_DESIRED


def now() -> tuple[SizedPanel, ...]:
    """Return the row."""
    running = ', status="Running"'
    return (
        SizedPanel(problems.counted(), 5, 5),
        SizedPanel(
            stat(
                "Running",
                "Pipelines that are Running, and pipelines that should be.",
                (
                    Query(amount(present(DEPLOYMENT, running)), "running"),
                    Query(amount(present(DEPLOYMENT_DESIRED, running)), "should run"),
                ),
                Display(thresholds=known(GOOD), no_value="unknown"),
            ),
            4, 5,
        ),
        SizedPanel(
            stat(
                "Data age",
                "How long ago Feldera last answered a poll. After 75 seconds this dashboard may be out of date.",
                (Query(f"time() - {LAST_POLL}", "{{feldera_instance}}"),),
                Display(unit="s", thresholds=DATA_AGE, decimals=0),
            ),
            4, 5,
        ),
        problems.of_instances(11, 5),
        problems.of_pipelines(),
    )  # fmt: skip
