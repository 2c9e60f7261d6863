"""The dashboard of the fleet: problems, trends, timelines, durations, and Feldera itself."""

from dashboards import links, problems, variables
from dashboards.board import Board
from dashboards.fleet_now import now
from dashboards.fleet_past import durations, timelines, trends
from dashboards.fleet_platform import platform


def fleet() -> Board:
    """Return the dashboard."""
    return Board(
        "feldera-fleet",
        "Feldera: fleet",
        "All pipelines of the selected Feldera instances: present problems, and their history.",
        (
            variables.DATA_SOURCE,
            variables.instances(several=True),
            *variables.tags(),
            variables.pipelines(several=True),
            variables.CONSOLE,
            variables.EXPORTER,
        ),
        {
            "Problems": now(),
            "Trends": trends(),
            "Timelines": timelines(),
            "Durations": durations(),
            "Feldera itself": platform(),
        },
        problems=problems.OF_PIPELINES.since(),
        links={"The exporter": links.EXPORTER_BOARD, "The exporter's fleet page": links.FLEET_PAGE},
    )
